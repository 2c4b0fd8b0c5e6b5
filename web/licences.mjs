// A Vite plugin: writes which npm packages are in the console, with their licence texts, as the bundler saw them. Whoever gets
// the program gets this file with it (share/doc/troupe/third-party/console).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const packageOf = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;

function termsIn(folder) {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|copying|notice)([-.].*)?$/i.test(name))
    .sort()
    // The bundler goes on with the terms of what it is made of itself: none of that is in a bundle.
    .map((name) => readFileSync(join(folder, name), 'utf8').split(/^# Licenses of bundled dependencies/m)[0])
    .map((text) => text.replaceAll('\r', '').trim());
  if (texts.length === 0 && !about.license) throw new Error(`${about.name} says nothing about its licence; it cannot be shipped`);
  const author = typeof about.author === 'string' ? about.author : about.author?.name;
  const head = `${about.name} ${about.version}\nLicence: ${about.license ?? 'see below'}`;
  const said = `The package has no licence text of its own.${author ? ` Its author: ${author}` : ''}`;
  return `${head}\n\n${texts.length === 0 ? said : texts.join('\n\n')}\n`;
}

/** `root` is the folder whose node_modules has the bundler: a few lines of its own are in every bundle. */
export function licences(file, root) {
  return {
    name: 'troupe-licences',
    apply: 'build',
    generateBundle() {
      const folders = new Set();
      for (const id of this.getModuleIds()) {
        const found = id.match(packageOf);
        if (found) folders.add(found[1].replace('\0', ''));
        else if (id.startsWith('\0vite/')) folders.add(join(root, 'node_modules', 'vite'));
      }
      const rule = `\n${'-'.repeat(80)}\n\n`;
      const texts = [...folders].map(termsIn).sort();
      writeFileSync(file, `npm packages in Troupe's console: ${texts.length}\n${rule}${texts.join(rule)}`);
    },
  };
}
