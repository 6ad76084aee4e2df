/**
 * workerd's configuration (workerd.capnp) made from wrangler.toml, so that bindings are declared once.
 * workerd itself reads no TOML. Anything in wrangler.toml that this does not carry over is an error, never passed over.
 */
import { parse } from 'smol-toml';

/** The part of wrangler.toml that the local service carries over. */
export interface WranglerConfig {
  name: string;
  main: string;
  compatibility_date: string;
  compatibility_flags?: string[];
  vars?: Record<string, string>;
  d1_databases?: { binding: string; database_name: string; migrations_dir?: string }[];
  durable_objects?: { bindings: { name: string; class_name: string }[] };
  migrations?: { tag: string; new_classes?: string[]; new_sqlite_classes?: string[] }[];
}

const CARRIED = new Set([
  ...['name', 'main', 'compatibility_date', 'compatibility_flags', 'vars'],
  ...['d1_databases', 'durable_objects', 'migrations'],
]);
/** Settings of the cloud or of the bundler: they have no meaning for workerd. */
const CLOUD_ONLY = new Set([
  '$schema',
  'rules',
  'observability',
  'workers_dev',
  'limits',
  'routes',
]);

/** Reads wrangler.toml. @throws Error on a section that the local service cannot offer */
export function parseWrangler(toml: string): WranglerConfig {
  const config = parse(toml);
  for (const key of Object.keys(config)) {
    if (!CARRIED.has(key) && !CLOUD_ONLY.has(key)) {
      throw new Error(`wrangler.toml: the local service has no [${key}]`);
    }
  }
  for (const key of ['name', 'main', 'compatibility_date']) {
    if (typeof config[key] !== 'string') throw new Error(`wrangler.toml: ${key} is missing`);
  }
  return config as unknown as WranglerConfig;
}

/** A module of the worker: `name` as it is imported, `path` relative to the configuration file. */
export interface WorkerModule {
  name: string;
  path: string;
  kind: 'esModule' | 'wasm';
}

export interface ServiceOptions {
  /** The first one is the entry. */
  modules: readonly WorkerModule[];
  /** Folder of the store; it must exist. */
  dataDir: string;
  /** host:port to listen on; none for a run of `workerd test`. */
  address?: string;
  /** Variables that take the place of those in wrangler.toml, or are added. */
  vars?: Readonly<Record<string, string>>;
  /** Names of bindings that workerd takes from its environment variables of the same names. */
  secrets?: readonly string[];
  /** Text bindings whose values are files, by paths relative to the configuration file. */
  files?: Readonly<Record<string, string>>;
  /** Without them the worker's exported classes need not be there. */
  durableObjects?: boolean;
}

/** Ceiling of one V8 heap in MiB: keeps the whole process small, and holds garbage collection pauses short. */
const MAX_HEAP_MIB = 96;

/** The text of a workerd configuration. */
export function toCapnp(config: WranglerConfig, options: ServiceOptions): string {
  const objects = options.durableObjects === false ? [] : (config.durable_objects?.bindings ?? []);
  const databases = config.d1_databases ?? [];
  const usesDisk = objects.length > 0 || databases.length > 0;
  const fields = [
    `modules = ${list(options.modules.map(moduleField))}`,
    `compatibilityDate = ${text(config.compatibility_date)}`,
    `compatibilityFlags = ${list((config.compatibility_flags ?? []).map(text))}`,
    `bindings = ${list([
      ...Object.entries({ ...config.vars, ...options.vars }).map(
        ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
      ),
      ...(options.secrets ?? []).map(
        (name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`,
      ),
      ...Object.entries(options.files ?? {}).map(
        ([name, path]) => `(name = ${text(name)}, text = embed ${text(path)})`,
      ),
      ...objects.map(
        ({ name, class_name }) =>
          `(name = ${text(name)}, durableObjectNamespace = ${text(class_name)})`,
      ),
      ...databases.map(databaseBinding),
    ])}`,
    `durableObjectNamespaces = ${list(objects.map((object) => namespaceField(config, object.class_name)))}`,
    ...(usesDisk ? ['durableObjectStorage = (localDisk = "store")'] : []),
    'globalOutbound = "nowhere"',
  ];
  const services = [
    '(name = "main", worker = .main)',
    // The edge calls nobody, so it is given no way out.
    '(name = "nowhere", network = (allow = []))',
    ...(usesDisk
      ? [`(name = "store", disk = (path = ${text(options.dataDir)}, writable = true))`]
      : []),
    ...(databases.length > 0 ? ['(name = "d1", worker = .d1)'] : []),
  ];
  const sockets = options.address
    ? [`(name = "http", address = ${text(options.address)}, http = (), service = "main")`]
    : [];
  return [
    '# Made from wrangler.toml by `sealpost serve`, anew at each start.',
    'using Workerd = import "/workerd/workerd.capnp";',
    'const config :Workerd.Config = (',
    `  services = ${list(services)},`,
    `  sockets = ${list(sockets)},`,
    `  v8Flags = [${text(`--max-heap-size=${MAX_HEAP_MIB}`)}],`,
    ');',
    'const main :Workerd.Worker = (',
    ...fields.map((field) => `  ${field},`),
    ');',
    ...(databases.length > 0 ? d1Worker(config.compatibility_date) : []),
    '',
  ].join('\n');
}

/** D1 is built into workerd: a Durable Object class with SQLite behind a wrapped binding. It needs --experimental. */
function d1Worker(compatibilityDate: string): string[] {
  return [
    'const d1 :Workerd.Worker = (',
    '  modules = [(name = "d1.js", bundled = "/workerd/d1.js")],',
    `  compatibilityDate = ${text(compatibilityDate)},`,
    '  bindings = [(name = "DATABASE", durableObjectNamespace = "D1Database")],',
    '  durableObjectNamespaces = [(className = "D1Database", uniqueKey = "d1", enableSql = true)],',
    '  durableObjectStorage = (localDisk = "store"),',
    ');',
  ];
}

function databaseBinding(database: { binding: string; database_name: string }): string {
  const props = JSON.stringify({ database: database.database_name });
  const fetcher = `(name = "fetcher", service = (name = "d1", props = (json = ${text(props)})))`;
  return `(name = ${text(database.binding)}, wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [${fetcher}]))`;
}

function namespaceField(config: WranglerConfig, className: string): string {
  const sqlite = config.migrations?.some((step) => step.new_sqlite_classes?.includes(className));
  const known = sqlite || config.migrations?.some((step) => step.new_classes?.includes(className));
  if (!known) throw new Error(`wrangler.toml: no migration makes the class ${className}`);
  // The key names the objects' files, so it must never change for a class.
  const uniqueKey = `${config.name}-${className}`;
  return `(className = ${text(className)}, uniqueKey = ${text(uniqueKey)}, enableSql = ${sqlite ? 'true' : 'false'})`;
}

function moduleField({ name, path, kind }: WorkerModule): string {
  return `(name = ${text(name)}, ${kind} = embed ${text(path)})`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => `    ${item},\n`).join('')}  ]`;
}

/** A Cap'n Proto text literal. Quotes, backslashes and control characters are escaped as in C; the rest is UTF-8. */
function text(value: string): string {
  const escaped = value.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be escaped
    /["\\\u0000-\u001f\u007f]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `"${escaped}"`;
}
