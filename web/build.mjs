// Builds the console into one file that the binary embeds: `node web/build.mjs OUT` writes OUT/console.pack, and OUT/files/ with
// the same files to look at, and OUT/licences.txt with the terms of the npm packages in them. `node web/build.mjs --packages` only installs the npm packages, and only where the lock file says
// others than are there. Needs Node 18.
//
// A pack is: the length of its index (4 bytes, little endian), the index (JSON), the bytes. Each file is there as it is and,
// where that is smaller, as gzip and Brotli: [{path, type, etag, plain: [offset, size], gzip?: […], br?: […]}].
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const here = dirname(fileURLToPath(import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

function fail(text) {
  console.error(`console: ${text}`);
  process.exit(1);
}

function run(program, parameters, environment = {}) {
  const done = spawnSync(program, parameters, { cwd: here, encoding: 'utf8', env: { ...process.env, ...environment } });
  if (done.status === 0) return;
  console.error(done.error?.message ?? `${done.stdout}${done.stderr}`);
  fail(`${program} ${parameters.join(' ')} failed, see above; -DTROUPE_CONSOLE=OFF builds the server without its console`);
}

function installPackages() {
  const stamp = join(here, 'node_modules', '.stamp');
  const wanted = createHash('sha256')
    .update(readFileSync(join(here, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.error('console: npm ci in web');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

function* filesIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

function pack(folder) {
  const parts = [];
  let size = 0;
  const put = (bytes) => {
    parts.push(bytes);
    size += bytes.length;
    return [size - bytes.length, bytes.length];
  };
  const index = [];
  for (const path of filesIn(folder)) {
    const type = types[extname(path)];
    if (!type) fail(`no content type for ${relative(folder, path)}; name one in web/build.mjs`);
    const bytes = readFileSync(path);
    const file = {
      path: `/${relative(folder, path).split(sep).join('/')}`,
      type,
      etag: createHash('sha256').update(bytes).digest('hex').slice(0, 32),
      plain: put(bytes),
    };
    const packed = {
      gzip: gzipSync(bytes, { level: 9 }),
      br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
    };
    for (const [name, smaller] of Object.entries(packed)) if (smaller.length < bytes.length) file[name] = put(smaller);
    index.push(file);
  }
  const head = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, ...parts]);
}

const [what] = process.argv.slice(2);
if (!what) fail('name the folder to build into, or say --packages');
installPackages();
if (what !== '--packages') {
  const out = resolve(what);
  const files = join(out, 'files');
  mkdirSync(out, { recursive: true });
  run(process.execPath, [join(here, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], {
    TROUPE_CONSOLE_OUT: files,
    TROUPE_CONSOLE_LICENCES: join(out, 'licences.txt'),
  });
  writeFileSync(join(out, 'console.pack.new'), pack(files));
  renameSync(join(out, 'console.pack.new'), join(out, 'console.pack'));
}
