import type { Dashboard, Panel } from './dashboard.ts';

const columns = 24;
const heights = { number: 4, lines: 8 } as const;
const source = { type: 'prometheus', uid: '$datasource' };

/** A dashboard as Grafana imports it: docs/dashboards/schema.json describes the result. */
export function renderDashboard({ name, title, about, rows }: Dashboard): object {
  let y = 0;
  let id = 0;
  const panels = rows.flatMap((row) => {
    const height = Math.max(...row.map(({ kind }) => heights[kind]));
    const width = Math.floor(columns / row.length);
    const rendered = row.map((panel, index) => {
      id += 1;
      return renderPanel(panel, id, { x: index * width, y, w: width, h: height });
    });
    y += height;
    return rendered;
  });
  return {
    uid: `semantic-memory-${name}`,
    title: `semantic-memory: ${title}`,
    description: about,
    tags: ['semantic-memory'],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 }],
    },
    annotations: { list: [] },
    links: [
      {
        title: 'Other dashboards',
        type: 'dashboards',
        icon: '',
        tooltip: '',
        url: '',
        tags: ['semantic-memory'],
        asDropdown: true,
        targetBlank: false,
        includeVars: false,
        keepTime: true,
      },
    ],
    panels,
  };
}

function renderPanel(panel: Panel, id: number, gridPos: object): object {
  const { kind, title, about, unit, queries, threshold } = panel;
  const steps = [
    { value: null, color: 'green' },
    ...(threshold === undefined ? [] : [{ value: threshold, color: 'red' }]),
  ];
  return {
    id,
    type: kind === 'number' ? 'stat' : 'timeseries',
    title,
    description: about,
    datasource: source,
    gridPos,
    fieldConfig: {
      defaults: {
        unit,
        thresholds: { mode: 'absolute', steps },
        ...(kind === 'lines' ? { custom: linesOf(threshold) } : {}),
      },
      overrides: [],
    },
    options:
      kind === 'number'
        ? {
            reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
            colorMode: 'value',
            graphMode: 'area',
          }
        : {
            legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
            tooltip: { mode: 'multi', sort: 'desc' },
          },
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: source,
      expr,
      ...(legend === '' ? {} : { legendFormat: legend }),
      ...(kind === 'number' ? { instant: true, range: false } : { range: true }),
    })),
  };
}

const linesOf = (threshold: number | undefined) => ({
  drawStyle: 'line',
  lineWidth: 1,
  fillOpacity: 10,
  showPoints: 'never',
  ...(threshold === undefined ? {} : { thresholdsStyle: { mode: 'line' } }),
});
