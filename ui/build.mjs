// build.mjs OUT.c [DEPFILE]: bundles the page and prints it as C, for src/wire/site.c.
//
// Every file but the index is named by what is in it and is compressed once, here. The index is small and names the
// others.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const [out, depfile] = process.argv.slice(2)
if (!out) {
  console.error('usage: node build.mjs OUT.c [DEPFILE]')
  process.exit(2)
}

// ansi_up writes its expressions over many lines with a comment in each, and takes both out whenever it needs one: that is done here.
const SPACED = /__makeTemplateObject\(\["(?:[^"\\]|\\.)*"\], \[("(?:[^"\\]|\\.)*")\]\)/g
const withoutComments = {
  name: 'without-comments',
  setup: ({ onLoad }) => onLoad({ filter: /ansi_up\.js$/ }, ({ path }) => ({
    contents: readFileSync(path, 'utf8').replace(SPACED, (_, raw) =>
      `({ raw: [${JSON.stringify(JSON.parse(raw).replace(/^\s+|\s+\n|\s*#[\s\S]*?\n|\n/gm, ''))}] })`),
  })),
}

const result = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ['src/main.tsx', 'src/style.css'],
  outdir: 'out',
  entryNames: '[name]',
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  format: 'esm',
  target: ['chrome111', 'firefox115', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  loader: { '.svg': 'text' },
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
  plugins: [withoutComments],
})

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 16)
const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' }

const files = []
function add(stem, extension, bytes) {
  const path = `/assets/${stem}.${digest(bytes)}.${extension}`
  files.push({ path, type: TYPES[extension], bytes: gzipSync(bytes, { level: 9 }), hashed: true })
  return path
}
const output = (extension) => result.outputFiles.find((file) => file.path.endsWith(`.${extension}`)).contents

const script = add('app', 'js', output('js'))
const style = add('app', 'css', output('css'))
const icon = add('icon', 'svg', readFileSync(join(here, 'src/icon.svg')))
const index = readFileSync(join(here, 'src/index.html'), 'utf8')
  .replace('/src/main.tsx', script)
  .replace('/src/style.css', style)
  .replace('/src/icon.svg', icon)
files.unshift({ path: '/', type: 'text/html; charset=utf-8', bytes: Buffer.from(index), hashed: false })

const rows = (bytes) => {
  const lines = []
  for (let at = 0; at < bytes.length; at += 32) lines.push('    ' + Array.from(bytes.subarray(at, at + 32)).join(','))
  return lines.join(',\n')
}
let text = '/* Made by ui/build.mjs. */\n#include "wire/site.h"\n\n'
files.forEach((file, i) => {
  text += `static const unsigned char bytes_${i}[] = {\n${rows(file.bytes)}};\n`
})
text += '\nconst struct site_file site_files[] = {\n'
files.forEach((file, i) => {
  text += `    {"${file.path}", "${file.type}", "\\"${digest(file.bytes)}\\"", bytes_${i}, sizeof bytes_${i}, ${file.hashed}},\n`
})
text += '};\nconst size_t site_file_count = sizeof site_files / sizeof site_files[0];\n'
writeFileSync(out, text)

if (depfile) {
  const inputs = Object.keys(result.metafile.inputs).map((path) => resolve(here, path))
  inputs.push(...['src/index.html', 'src/icon.svg', 'build.mjs', 'package-lock.json'].map((path) => join(here, path)))
  const base = process.cwd()
  const quoted = inputs.map((path) => relative(base, path).replaceAll(' ', '\\ '))
  writeFileSync(depfile, `${out}: ${quoted.join(' ')}\n`)
}
