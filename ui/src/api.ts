// Calls to the server that the page came from: credential, place, errors, and whether it can be reached.

import { batch, computed, signal } from '@preact/signals'
import { forgetDrafts } from './drafts'
import { workspaceAsked } from './route'

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message)
  }
}

export const isNotFound = (error: unknown) => error instanceof ApiError && error.status === 404

// No answer, or not the whole of it. Nothing else is: an error of the page itself is not.
export class Unreachable extends Error {
  constructor() {
    super('The server cannot be reached.')
  }
}

// What is read of an answer: the server may go away in the middle of it.
export const wholeOf = <T>(reading: Promise<T>): Promise<T> => reading.catch((error) => {
  throw error instanceof TypeError ? new Unreachable() : error
})

export const jsonOf = (answer: Response) => wholeOf(answer.json())

export interface Place {
  aiDataPlatformId: string
  version: string
  user: string
  workspaces: { key: string; displayName: string }[]
}

// null: not asked yet; false: nobody is signed in.
export const place = signal<Place | null | false>(null)
export const me = signal<{ key: string | null; roles: Map<string, string> | null }>({ key: null, roles: null }) // by workspace; null: not told
// In the workspace that is shown. The server decides; this only spares buttons that it would refuse.
export const role = computed(() => (place.value ? me.value.roles?.get(workspaceKey()) : null) ?? null)
export const mayOperate = computed(() => !me.value.roles || role.value === 'OPERATOR' || role.value === 'ADMIN') // start, cancel, repair
export const mayEdit = computed(() => !me.value.roles || role.value === 'ADMIN') // jobs, secrets
export const mayAdminister = signal(true) // users, the audit
export const isOffline = signal(false)
// What to add to the browser's clock to have the server's; HTTP dates are whole seconds, so small ones are noise.
export const skewMs = signal(0)

// ---- credential: a session's cookie, which scripts cannot read, or a token that was pasted into this tab ----

const TOKEN = 'reprise.token'
let csrfToken: string | null = null

export const storedToken = () => sessionStorage.getItem(TOKEN)

function credential(method: string): Record<string, string> {
  const token = storedToken()
  if (token) return { authorization: `Bearer ${token}` }
  return csrfToken && method !== 'GET' ? { 'x-reprise-csrf': csrfToken } : {}
}

// ---- who is signed in while the page is open ----

// The session has ended, or another user's is in its place, whose name it then has. The page keeps what is on it, to go on when its
// user is back.
export const away = signal<{ by: string | null } | null>(null)

// Until somebody is back. What waits is of the user who went: nobody else sends it.
async function whileAway(signal?: AbortSignal): Promise<void> {
  const user = me.value.key
  while (away.value) {
    await new Promise<void>((resolve) => {
      const stop = away.subscribe((now) => now || done())
      const done = () => queueMicrotask(() => {
        stop()
        signal?.removeEventListener('abort', done)
        resolve()
      })
      signal?.addEventListener('abort', done)
    })
    signal?.throwIfAborted()
  }
  if (!place.value || me.value.key !== user) throw new DOMException('Somebody else is signed in', 'AbortError')
}

let renewal: Promise<boolean> | null = null

// Another tab may have signed in anew: then the browser's cookie is of that session, and writes need what belongs to it. False: the
// user is away.
function renew(): Promise<boolean> {
  renewal ??= readAgain().finally(() => (renewal = null))
  return renewal
}

async function readAgain(): Promise<boolean> {
  try {
    return isBack(await jsonOf(await send('/reprise/v1/session')))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 404) place.value = false // no sessions here: the token is no good any more
    else if (error.status === 401) away.value = { by: null }
    else throw error
    return false
  }
}

function isBack(session: Session): boolean {
  const isSame = session.user?.key === me.value.key
  if (isSame) takeSession(session)
  away.value = isSame ? null : { by: session.user?.name ?? 'Somebody else' }
  return isSame
}

// The tabs of a browser have one session.
const tabs = new BroadcastChannel('reprise')
tabs.onmessage = ({ data }) => {
  if (storedToken()) return
  if (data === `out ${me.value.key}`) leave()
  else if (String(data).startsWith('out')) away.value = place.value ? { by: null } : null // somebody else, whose page this is not
  else (place.value ? renew() : resume()).catch(() => undefined)
}

// ---- calls ----

interface Options {
  method?: string
  body?: unknown
  headers?: Record<string, string>
  signal?: AbortSignal
}

// At the root of the server. A refusal throws ApiError; no answer at all sets isOffline and throws Unreachable. What changes
// nothing waits while nobody is signed in, and goes on with the user.
export async function call(path: string, options: Options = {}): Promise<Response> {
  const isRead = (options.method ?? 'GET') === 'GET' || /\/actions\/(validate|planRepair)$/.test(path)
  for (let isRenewed = false; ; ) {
    if (isRead && away.value) await whileAway(options.signal)
    try {
      return await send(path, options)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || !place.value) throw error
      const isSame = await renew()
      if (isSame ? isRenewed : !isRead || !place.value) throw error
      isRenewed = isSame
    }
  }
}

async function send(path: string, { method = 'GET', body, headers, signal }: Options = {}): Promise<Response> {
  const request = new Request(path, {
    method,
    signal,
    cache: 'no-store',
    credentials: 'same-origin',
    headers: {
      ...credential(method),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  let answer: Response
  try {
    answer = await fetch(request)
  } catch (error) {
    if (signal?.aborted) throw error
    isOffline.value = true
    throw new Unreachable()
  }
  isOffline.value = false
  const date = Date.parse(answer.headers.get('date') ?? '')
  if (date) skewMs.value = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0
  if (answer.ok) return answer
  const text = await wholeOf(answer.text())
  let code = `HTTP ${answer.status}`
  let message = text.slice(0, 500) || answer.statusText
  try {
    const parsed = JSON.parse(text)
    code = parsed.code ?? code
    message = parsed.message ?? message
  } catch {
    // not ours: a proxy's page, shown as the text that it is
  }
  throw new ApiError(answer.status, code, message)
}

// The workspace that the address names, else the first.
export const workspaceKey = () => workspaceAsked.value ?? (place.value as Place).workspaces[0].key
const workspace = () =>
  `/20260430/aiDataPlatforms/${encodeURIComponent((place.value as Place).aiDataPlatformId)}/workspaces/${encodeURIComponent(workspaceKey())}`

export type Query = Record<string, string | number | boolean | string[] | undefined | null>

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((one) => params.append(name, one))
    else if (value !== undefined && value !== null && value !== '') params.append(name, String(value))
  }
  const text = params.toString()
  return path + (text ? `?${text}` : '')
}

export const url = (path: string, query?: Query): string => withQuery(workspace() + path, query)

// Users, tokens, secrets, the audit: of the server, not of a workspace.
export const accounts = (path: string, query?: Query): string => withQuery(`/reprise/v1${path}`, query)

const MOST = 1000 // of a list of accounts; who has more looks with the command line
export const listAccounts = async <T>(path: string, query: Query, signal: AbortSignal): Promise<T[]> =>
  (await jsonOf(await call(accounts(path, { limit: MOST, ...query }), { signal }))).items

export async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return jsonOf(await call(url(path, query), { signal }))
}

// One object whose list goes on behind a page token.
export async function getPage<T>(path: string, query?: Query, signal?: AbortSignal) {
  const answer = await call(url(path, query), { signal })
  return { body: (await jsonOf(answer)) as T, next: answer.headers.get('opc-next-page') }
}

export async function list<T>(path: string, query?: Query, signal?: AbortSignal) {
  const answer = await call(url(path, query), { signal })
  return { items: (await jsonOf(answer)).items as T[], next: answer.headers.get('opc-next-page') }
}

// Of a list that has an end: all pages of it, a thousand each unless the query says otherwise. `most`: then it is enough.
export async function listAll<T>(path: string, query: Query, signal?: AbortSignal, most = Infinity): Promise<T[]> {
  const items: T[] = []
  for (let page: string | null = null; ; ) {
    const answer: { items: T[]; next: string | null } = await list<T>(path, { limit: 1000, ...query, page }, signal)
    items.push(...answer.items)
    page = answer.next
    if (!page || items.length >= most) return items
  }
}

export async function post<T>(path: string, body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<T> {
  return jsonOf(await call(url(path), { method: 'POST', body, headers, signal }))
}

// Reads, changes and writes back, refused (412) if somebody else did so in between.
export async function rewrite<T>(path: string, change: (old: T) => T): Promise<void> {
  const answer = await call(url(path))
  const body = change(await jsonOf(answer))
  await call(url(path), { method: 'PUT', body, headers: { 'if-match': answer.headers.get('etag') ?? '*' } })
}

// ---- signing in ----

// With what this browser has, if it has anything.
export async function resume(): Promise<void> {
  try {
    const [session, at] = await Promise.all([readSession(), readPlace()])
    enter(session, at)
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      sessionStorage.removeItem(TOKEN)
      place.value = false
    } else throw error
  }
}

interface Session {
  role?: string | null // in the first workspace, whose administrators are those of the server
  user?: { key: string; name: string; roles?: { workspaceKey: string; role: string }[] } | null
  csrfToken?: string | null // what writes with the session's cookie carry
}

const readPlace = async (): Promise<Place> => jsonOf(await send('/reprise/v1'))

function enter(session: Session | null, at: Place) {
  batch(() => {
    if (session) takeSession(session)
    place.value = at
    away.value = null
  })
}

function takeSession(session: Session) {
  csrfToken = session.csrfToken ?? null
  const roles = session.user?.roles && new Map(session.user.roles.map((one) => [one.workspaceKey, one.role]))
  me.value = { key: session.user?.key ?? null, roles: roles ?? null }
  mayAdminister.value = !roles || session.role === 'ADMIN'
}

// A server without sessions has no such path.
async function readSession(): Promise<Session | null> {
  try {
    return await jsonOf(await send('/reprise/v1/session'))
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
    return null
  }
}

// A session is better than the token itself, which scripts can read; a server without sessions takes the token.
export async function signInWithToken(token: string): Promise<void> {
  try {
    await startSession({ token })
    return
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 401)) throw error
  }
  sessionStorage.setItem(TOKEN, token)
  try {
    enter(await readSession(), await readPlace())
  } catch (error) {
    sessionStorage.removeItem(TOKEN)
    throw error
  }
}

// 409: this browser has somebody else's session, which it takes the place of if that is wanted.
export const signInWithCode = (code: string, isReplacing = false) => startSession({ code, isReplacing })

async function startSession(by: { code: string; isReplacing: boolean } | { token: string }): Promise<void> {
  const session: Session = await jsonOf(await send('/reprise/v1/session', { method: 'POST', body: by }))
  enter(session, await readPlace())
  tabs.postMessage('in')
}

// Done only when the server has said so, or that there is no such session: else whoever has this browser could go on with it.
export async function signOut(): Promise<void> {
  if (!storedToken()) {
    await call('/reprise/v1/session', { method: 'DELETE' }).catch((error) => {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
    })
    tabs.postMessage(`out ${me.value.key}`)
  }
  leave()
}

// Without a word to the server: the page forgets whose it was.
export function leave() {
  sessionStorage.removeItem(TOKEN)
  forgetDrafts()
  csrfToken = null
  batch(() => {
    place.value = false
    away.value = null
  })
}
