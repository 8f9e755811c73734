// Where the page is: the part of the address behind '#', as path segments and a query. The server knows only `/`.

import { computed, signal } from '@preact/signals'

const hash = signal(location.hash)
addEventListener('hashchange', () => (hash.value = location.hash))

export interface Route {
  path: string[]
  query: URLSearchParams
}

// #/w/WORKSPACE/… is a place in a workspace other than the first; #/… is in the first.
const whole = computed<Route>(() => {
  const [path, query = ''] = hash.value.replace(/^#?\/?/, '').split('?')
  return { path: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) }
})
export const workspaceAsked = computed(() => (whole.value.path[0] === 'w' ? whole.value.path[1] : undefined))
export const route = computed<Route>(() =>
  workspaceAsked.value === undefined ? whole.value : { path: whole.value.path.slice(2), query: whole.value.query })

function decode(text: string) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

// Within the workspace that one is in.
export function href(path: (string | number)[], query: Record<string, string | number | null | undefined> = {}) {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined && value !== '') params.set(name, String(value))
  const text = params.toString()
  const within = workspaceAsked.peek()
  const from = within === undefined ? path : ['w', within, ...path]
  return `#/${from.map((part) => encodeURIComponent(part)).join('/')}${text ? `?${text}` : ''}`
}

export const go = (to: string) => {
  location.hash = to
}

// The same place with some of the query changed; null removes. Not a step of its own in the browser's history.
export function amend(change: Record<string, string | number | null | undefined>) {
  const { path, query } = route.value
  const to = href(path, { ...Object.fromEntries(query), ...change })
  history.replaceState(null, '', to)
  hash.value = to
}
