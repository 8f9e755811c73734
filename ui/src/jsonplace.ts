// Where things stand in a JSON text: what a problem that names a field points to, and where a text is no JSON at all.
// JSON.parse tells neither: its positions are worded differently by each browser, and of two equal keys it keeps one.

export interface Place {
  start: number
  end: number // exclusive
  fields?: Map<string, Place> // of an object
  items?: Place[] // of a list
}

export class NotJson extends Error {
  constructor(message: string, readonly at: number) {
    super(message)
  }
}

const MAX_DEPTH = 64 // as the server's
const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y
const WORD = /true|false|null/y

// The places of everything in a text; throws NotJson where it stops being JSON.
export function places(text: string): Place {
  let at = 0

  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at = pattern.lastIndex
    return found && found[0]
  }
  // What stands here, with the blanks before it left behind.
  function next(): string {
    take(SPACE)
    return text[at] ?? ''
  }
  function wanted(what: string): NotJson {
    const found = at >= text.length ? 'the text ends' : `there is ${JSON.stringify(text[at])}`
    return new NotJson(`${what} is expected, and ${found}`, at)
  }
  // Between what opens and what closes: one, a comma, one…
  function series(close: string, one: () => void) {
    at++
    if (next() !== close)
      for (;;) {
        one()
        if (next() !== ',') break
        at++
      }
    if (next() !== close) throw wanted(`a comma or ${close}`)
    at++
  }
  function field(fields: Map<string, Place>, depth: number) {
    next()
    const start = at
    const name = take(STRING)
    if (name === null) throw wanted('a name in double quotes')
    const key: string = JSON.parse(name)
    if (fields.has(key)) throw new NotJson(`${name} is here twice`, start)
    if (next() !== ':') throw wanted('a colon')
    at++
    fields.set(key, value(depth + 1))
  }
  function value(depth: number): Place {
    const sign = next()
    const start = at
    if (depth > MAX_DEPTH && (sign === '{' || sign === '[')) throw new NotJson(`more than ${MAX_DEPTH} levels`, at)
    if (sign === '{') {
      const fields = new Map<string, Place>()
      series('}', () => field(fields, depth))
      return { start, end: at, fields }
    }
    if (sign === '[') {
      const items: Place[] = []
      series(']', () => items.push(value(depth + 1)))
      return { start, end: at, items }
    }
    if (take(STRING) === null && take(NUMBER) === null && take(WORD) === null)
      throw sign === '"' ? new NotJson('this string does not end, or has a character that must be escaped', at) : wanted('a value')
    return { start, end: at }
  }

  const whole = value(1)
  if (next() !== '') throw wanted('nothing more')
  return whole
}

const PATH = /^[A-Za-z_$][\w-]*(?:\.[\w-]+|\[\d+\])*/

// What a message such as "tasks[2].dependsOn[0].taskKey names no task" is about. What is not there is looked for around it.
export function placeOfMessage(whole: Place, message: string): Place {
  const path = PATH.exec(message)?.[0] ?? ''
  let here = whole
  for (const part of path.match(/[\w$-]+/g) ?? []) {
    const inner = here.fields?.get(part) ?? here.items?.[Number(part)]
    if (!inner) break
    here = inner
  }
  return here
}

// The line of a place, from 1.
export function lineCounter(text: string): (at: number) => number {
  const begins: number[] = []
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) begins.push(i + 1)
  return (at) => {
    let [low, high] = [0, begins.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (begins[middle] <= at) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}
