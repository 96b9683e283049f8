import type { DescribedVariable } from '@semantic-memory/runtime/config-variable';

const of = (name: string, purpose: string, format: string, fallback: string): DescribedVariable => ({
  name,
  purpose,
  format,
  defaultDescription: fallback,
});

/** Variables that the command line, make and the scripts read beside those of the service. */
export const toolVariables: readonly DescribedVariable[] = [
  of(
    'SEMANTIC_MEMORY_URL',
    'Service that the command line and the scripts speak to.',
    'http(s) address',
    'http://127.0.0.1:PORT',
  ),
  of(
    'SEMANTIC_MEMORY_TOKEN',
    'Token that the command line and the scripts carry.',
    'JWT',
    'made from JWT_SECRET, or from the secret that make up keeps in DATA_DIR',
  ),
  of('PROMETHEUS_URL', 'Prometheus that check_metrics.sh asks.', 'http(s) address', 'http://127.0.0.1:9090'),
  of('PROMETHEUS_TOKEN', 'Token that check_metrics.sh sends to Prometheus.', 'text', 'none'),
  of('BASE_IMAGE', 'What build-image.sh builds on.', 'name of an image', 'the public image of Node.js'),
  of('CHART_REPOSITORY', 'Where push-chart.sh pushes to.', 'OCI repository such as ghcr.io/owner/charts', 'none'),
  of('RELEASE_STEP', 'What prepare-release.sh does to the version.', 'as-is, or as bump-version', 'none'),
  of('RELEASE_CONFIRM', 'The version that prepare-release.sh is to release, typed out.', 'version', 'none'),
  of('RELEASE_BASE', 'Where publish-release.sh proposes the bump to.', 'branch', 'none'),
  of('UP_SECONDS', 'How long check-up.sh waits until make up runs.', 'seconds', '900'),
  of('GRAFANA_PASSWORD', 'Password of admin in the Grafana of docker-compose.yml.', 'text', 'admin'),
  of('SEED', 'What make chaos breaks, and when, follows from it.', 'whole number', 'made up'),
  of('MINUTES', 'How long make chaos breaks things.', 'minutes', '2'),
  of('CHAOS_RATE', 'How many operations make chaos begins.', 'operations a second', '4'),
  of('CHAOS_KINDS', 'What make chaos may break.', 'list with commas of kinds of fault', 'all'),
  of('CHAOS_SETTLE_SECONDS', 'How long all may take to end after the last fault of make chaos.', 'seconds', '300'),
  of('CHAOS_DIR', 'Data, logs and history of make chaos; emptied first.', 'path', '.data/chaos'),
  of('BENCH_BACKLOG', 'How many documents of another tenant the one of make bench stands behind.', 'count', '1500'),
  of('BENCH_DATA', 'Folder with what make bench measures and the repository cannot ship.', 'path', 'none'),
  of('BENCH_OUTPUT', 'Where make bench writes.', 'path', '.data/bench'),
  of('EVAL_SETS', 'Sets that make eval measures.', 'list with commas of folders', 'those of the repository'),
  of('EVAL_PARTS', 'What make eval measures.', 'list with commas of retrieval, answers, chunking, ocr', 'all'),
  of('EVAL_MODES', 'Ways of searching that make eval compares.', 'list with commas of names', 'all'),
  of('EVAL_QUERIES', 'Most queries a set in make eval.', 'count', 'all'),
  of('EVAL_SEED', 'Seed of the draws of make eval.', 'whole number', '1'),
  of('EVAL_RESAMPLES', 'Draws of the bootstrap of make eval.', 'count', '10000'),
  of('EVAL_OUTPUT', 'Where make eval writes.', 'path', '.data/eval'),
  of('EVAL_DATA', 'Data of the service that make eval starts, kept between runs.', 'path', 'a new folder, removed'),
  of('EVAL_COMPARE', 'Two reports that make eval compares instead of measuring.', 'two files with a comma', 'none'),
  of('EVAL_AGAINST', 'Settings of a second run that make eval compares with.', 'NAME=VALUE with commas', 'none'),
];
