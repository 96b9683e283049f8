import { type Dashboard, lines, number, quantile, query, rate, share } from './dashboard.ts';

const rag = 'rag_request_duration_seconds';

export const ragLatency: Dashboard = {
  name: 'rag-latency',
  title: 'answers',
  about: 'How long questions take, how they are answered, and what answers lack.',
  rows: [
    [
      number('p95', 'Of all answers. Alert RagLatencyP95High.', 's', [query(quantile(0.95, rag))], 2),
      number('First word p95', 'Of streamed answers that were not in the cache.', 's', [
        query(quantile(0.95, 'rag_time_to_first_token_seconds')),
      ]),
      number(
        'Failed',
        'Share of the questions. Alert RagErrorRateHigh.',
        'percentunit',
        [query(share(`${rag}_count{outcome="failed"}`, `${rag}_count`))],
        0.05,
      ),
      number('Refused', 'Share of the questions for which no document had an answer.', 'percentunit', [
        query(share(`${rag}_count{outcome="refused"}`, `${rag}_count`)),
      ]),
    ],
    [
      lines(
        'Latency',
        'All answers; the line is alert RagLatencyP95High.',
        's',
        [query(quantile(0.5, rag), 'p50'), query(quantile(0.95, rag), 'p95'), query(quantile(0.99, rag), 'p99')],
        2,
      ),
      lines('Latency by mode, p95', 'generative: a language model writes; extractive: sentences are quoted.', 's', [
        query(quantile(0.95, rag, 'mode'), '{{mode}}'),
      ]),
    ],
    [
      lines('Time to the first word', 'Streamed answers that were not in the cache.', 's', [
        query(quantile(0.5, 'rag_time_to_first_token_seconds'), 'p50'),
        query(quantile(0.95, 'rag_time_to_first_token_seconds'), 'p95'),
      ]),
      lines('Questions by outcome', 'cancelled: whoever asked went away.', 'reqps', [
        query(rate(`${rag}_count`, 'outcome'), '{{outcome}}'),
      ]),
      lines('What answers lack', 'By reason (docs/search.md), searches among them. Alert AnswersDegraded.', 'ops', [
        query(rate('degraded_responses_total', 'reason'), '{{reason}}'),
      ]),
    ],
  ],
};
