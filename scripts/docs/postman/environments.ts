/** Where the collection may be run, by the name of the file. */
const places = {
  local: { name: 'semantic-memory: make up', baseUrl: 'http://127.0.0.1:8080' },
  production: { name: 'semantic-memory: production', baseUrl: 'https://memory.example.com' },
} as const;

/** Postman's environments as their files have them. The token stays empty: it is a secret of whoever runs them. */
export function renderEnvironments(): Record<string, object> {
  const rendered = Object.entries(places).map(([file, { name, baseUrl }]) => [
    file,
    {
      name,
      values: [
        { key: 'baseUrl', value: baseUrl, type: 'default', enabled: true },
        { key: 'token', value: '', type: 'secret', enabled: true },
        { key: 'namespace', value: 'postman', type: 'default', enabled: true },
      ],
      _postman_variable_scope: 'environment',
    },
  ]);
  return Object.fromEntries(rendered);
}
