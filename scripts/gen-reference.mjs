/**
 * Writes docs/reference.html, a page of the OpenAPI document that the edge serves: one file, without scripts and without
 * anything from elsewhere. `--check`: exit 1 when it is not current.
 */
import { openapiDocument } from '../worker/src/openapi.ts';
import { ROUTES } from '../worker/src/routes/table.ts';
import { settle } from './rules/settle.mjs';

const api = openapiDocument(ROUTES);

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const html = (text) => String(text).replace(/[&<>"]/g, (character) => ENTITIES[character]);

/** Paragraphs with `code`: all of CommonMark that the descriptions use. */
const prose = (text) =>
  text
    .split('\n\n')
    .map((part) => html(part).replace(/`([^`]+)`/g, '<code>$1</code>'))
    .map((part) => `<p>${part.replace(/docs\/([\w-]+\.(md|cddl))/g, '<a href="$1">$1</a>')}</p>`)
    .join('\n');

const code = (text) => `<code>${html(text)}</code>`;

const table = (heads, rows) =>
  rows.length === 0
    ? ''
    : [
        '<table>',
        `<tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>`,
        ...rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`),
        '</table>',
      ].join('\n');

/** What a `$ref` within the document names; anything else as it is. */
const resolved = (value) =>
  value.$ref === undefined
    ? value
    : value.$ref
        .slice(2)
        .split('/')
        .reduce((at, name) => at[name], api);

const schemaText = (schema) => {
  if (schema === undefined) return 'octets';
  const { type, format, pattern } = schema;
  const values = schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
  const names = [type, format, ...(values.length > 0 ? [values.join(', ')] : [])].filter(Boolean);
  return [html(names.join(' · ')), pattern && code(pattern)].filter(Boolean).join('<br>');
};

const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
);

function section(operation) {
  const { path, method, operationId, summary, description, security, requestBody } = operation;
  const parameters = (operation.parameters ?? []).map(resolved);
  const parties = security.flatMap(({ signature }) => signature);
  return [
    `<section id="${html(operationId)}">`,
    `<h2><span class="method">${method.toUpperCase()}</span> ${html(path)}</h2>`,
    `<p class="summary">${html(summary)}</p>`,
    prose(description),
    `<p><b>Who</b>: ${parties.length === 0 ? 'anybody, unsigned' : `${parties.map(html).join(' or ')}, <a href="#signature">signed</a>`}.</p>`,
    ...(parameters.length > 0 ? ['<h3>Parameters</h3>'] : []),
    table(
      ['name', 'in', 'form', ''],
      parameters.map(({ name, in: place, required, schema, description: text }) => [
        `${code(name)}${required ? '' : ' <i>optional</i>'}`,
        place,
        schemaText(schema),
        prose(text),
      ]),
    ),
    ...(requestBody === undefined
      ? []
      : [
          '<h3>Body</h3>',
          `<p>${Object.keys(requestBody.content).map(code).join(', ')}</p>`,
          prose(requestBody.description),
        ]),
    '<h3>Answers</h3>',
    table(
      ['status', 'content type', '', 'headers'],
      Object.entries(operation.responses).map(
        ([status, { description: text, content, headers }]) => [
          status,
          Object.keys(content).map(code).join('<br>'),
          prose(text),
          Object.keys(headers).map(code).join('<br>'),
        ],
      ),
    ),
    '</section>',
  ]
    .filter((line) => line !== '')
    .join('\n');
}

function components() {
  const { schemas, headers, securitySchemes } = api.components;
  const { signature } = securitySchemes;
  const { Problem } = schemas;
  return [
    '<section id="signature">',
    '<h2>Signatures</h2>',
    prose(signature.description),
    `<p>Header ${code(signature.name)}, with ${code('signature-input')} beside it.</p>`,
    '</section>',
    '<section id="problem">',
    '<h2>Problems</h2>',
    prose(Problem.description),
    table(
      ['member', 'form', ''],
      Object.entries(Problem.properties).map(([name, schema]) => [
        `${code(name)}${Problem.required.includes(name) ? '' : ' <i>optional</i>'}`,
        schemaText(schema),
        prose(schema.description ?? ''),
      ]),
    ),
    '</section>',
    '<section id="headers">',
    '<h2>Headers of answers</h2>',
    table(
      ['header', 'form', ''],
      Object.entries(headers).map(([name, { schema, description }]) => [
        html(name),
        schemaText(schema),
        prose(description),
      ]),
    ),
    '</section>',
  ].join('\n');
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
nav ul { columns: 2; padding-left: 1.2rem; }
section { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); margin-top: 2rem; }
h1, h2, h3 { line-height: 1.2; }
.method { font-size: 0.7em; padding: 0.15em 0.5em; border: 1px solid; border-radius: 0.3em; vertical-align: middle; }
.summary { font-size: 1.15em; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
td p { margin: 0 0 0.3rem; }
`;

const page = `<!doctype html>
<!-- Generated by scripts/gen-reference.mjs (npm run gen) from worker/src/routes/table.ts. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${html(api.info.title)} API ${html(api.info.version)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${html(api.info.title)}, API ${html(api.info.version)}</h1>
${prose(api.info.description)}
<p>The same as OpenAPI ${html(api.openapi)}: ${code('GET /v1/openapi.json')}. Read on: <a href="integrating.md">integrating.md</a>,
<a href="edge-api.md">edge-api.md</a>, <a href="wire-format.md">wire-format.md</a>, <a href="errors.md">errors.md</a>.</p>
<nav>
<ul>
${operations.map(({ operationId, method, path, summary }) => `<li><a href="#${html(operationId)}">${method.toUpperCase()} ${html(path)}</a>: ${html(summary)}</li>`).join('\n')}
</ul>
</nav>
${operations.map(section).join('\n')}
${components()}
</body>
</html>
`;

settle({ 'docs/reference.html': page });
