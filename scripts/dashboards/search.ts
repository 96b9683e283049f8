import { type Dashboard, lines, number, quantile, query, rate, share } from './dashboard.ts';

const search = 'search_duration_seconds';

export const searches: Dashboard = {
  name: 'search',
  title: 'search',
  about: 'How fast searches are, which modes answer them, and whether the index is whole.',
  rows: [
    [
      number('Searches', 'A second, those of questions among them.', 'reqps', [query(rate(`${search}_count`))]),
      number('p95', 'All modes. Alert SearchLatencyP95High.', 's', [query(quantile(0.95, search))], 0.5),
      number('By words alone', 'Share of the searches that words alone answered, asked for or not.', 'percentunit', [
        query(share(`${search}_count{mode="lexical"}`, `${search}_count`)),
      ]),
      number(
        'Out of step',
        'What the last reconciliation found. Alert IndexDriftPersists.',
        'short',
        [query('sum(max by (kind) (index_drift))')],
        1,
      ),
    ],
    [
      lines(
        'Latency',
        'All modes; the line is alert SearchLatencyP95High.',
        's',
        [
          query(quantile(0.5, search), 'p50'),
          query(quantile(0.95, search), 'p95'),
          query(quantile(0.99, search), 'p99'),
        ],
        0.5,
      ),
      lines(
        'Latency by mode, p95',
        'The mode that answered, which is less than was asked for where something is away.',
        's',
        [query(quantile(0.95, search, 'mode'), '{{mode}}')],
      ),
      lines('Searches by mode', 'A hybrid search that falls to dense or lexical is degraded.', 'reqps', [
        query(rate(`${search}_count`, 'mode'), '{{mode}}'),
      ]),
    ],
    [
      lines('What answers lack', 'By reason (docs/search.md). Alert AnswersDegraded.', 'ops', [
        query(rate('degraded_responses_total', 'reason'), '{{reason}}'),
      ]),
      lines('Index out of step, by kind', 'Repaired as it is found: a line that stays up is the news.', 'short', [
        query('max by (kind) (index_drift) > 0 or max by (kind) (index_drift{kind="missing_chunks"})', '{{kind}}'),
      ]),
      lines(
        'Chroma',
        '0 closed, 1 half open, 2 open: then words alone answer. Alert VectorDatabaseAway.',
        'short',
        [query('max by (dependency) (breaker_state{dependency="chroma"})', 'breaker')],
        2,
      ),
    ],
  ],
};
