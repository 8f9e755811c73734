// Data that stays current: read once, then again whenever the server says that something happened, or every two
// seconds where it has no stream of events.

import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, type Query, Unreachable, call, url } from './api'

export const POLL_MS = 2000
export const SLOW_MS = 30_000 // while a stream is open: in case that it is open but dead
const COALESCE_MS = 150

export interface Live<T> {
  data: T | undefined
  error: Error | undefined
  refresh: () => void
}

// What is told of a stream as it comes, to who must know what it is about: that it begins (anew: something may be missed), each item.
export interface Listener<E> {
  onOpen: () => void
  onItem: (item: E) => void
}

// `load` is called anew when `key` changes, and while `isActive(data)` holds. `stream`: a path of events
// to follow. `every`: how often without one.
export function useLive<T, E = unknown>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  { isActive = () => true, stream, streamQuery, listener, every = POLL_MS }: {
    isActive?: (data: T) => boolean
    stream?: string
    streamQuery?: Query
    listener?: Listener<E>
    every?: number | ((data: T) => number)
  } = {},
): Live<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: Error }>({ key })
  const trigger = useRef(() => {})
  const latest = useRef({ load, isActive, every, listener })
  latest.current = { load, isActive, every, listener }

  useEffect(() => {
    const stop = new AbortController()
    let timer = 0
    let isLoading = false
    let isStale = false
    let isStreaming = false
    let follower: AbortController | undefined

    async function refresh() {
      clearTimeout(timer)
      if (isLoading) {
        isStale = true
        return
      }
      isLoading = true
      isStale = false
      let wait = typeof every === 'number' ? every : POLL_MS
      try {
        const data = await latest.current.load(stop.signal)
        if (stop.signal.aborted) return
        setState({ key, data })
        const { isActive, every } = latest.current
        const active = isActive(data)
        if (typeof every !== 'number') wait = every(data)
        if (!active) wait = 0
        else if (isStreaming) wait = SLOW_MS
        if (active && stream && !follower && document.visibilityState === 'visible') watch()
        if (!active) {
          follower?.abort()
          follower = undefined
        }
      } catch (error) {
        if (stop.signal.aborted) return
        setState((before) => ({ key, data: before.key === key ? before.data : undefined, error: error as Error }))
        if (!(error instanceof Unreachable)) wait *= 5
      } finally {
        isLoading = false
      }
      if (isStale) soon()
      else if (wait && !stop.signal.aborted) timer = setTimeout(refresh, wait)
    }
    function soon() {
      clearTimeout(timer)
      timer = setTimeout(refresh, COALESCE_MS)
    }
    // What happened between the reading and the opening is not in the stream.
    function opened() {
      isStreaming = true
      latest.current.listener?.onOpen()
      soon()
    }
    async function watch() {
      follower = new AbortController()
      const mine = follower
      const came = itemsOf<E>((item) => {
        latest.current.listener?.onItem(item)
        soon()
      })
      try {
        if (!(await follow(stream!, streamQuery, mine.signal, opened, came))) return // there are no streams: poll
      } catch (error) {
        if (error instanceof ApiError) return // refused, there are too many: poll
        // the server went away: polling finds out when it is back
      }
      isStreaming = false
      if (follower === mine) follower = undefined
      if (!stop.signal.aborted) soon()
    }
    trigger.current = soon
    // A browser has six connections to a server, for all tabs: one that nobody looks at holds none.
    const visible = () => {
      if (document.visibilityState === 'visible') return soon()
      clearTimeout(timer)
      follower?.abort()
      follower = undefined
    }
    document.addEventListener('visibilitychange', visible)
    refresh()
    return () => {
      stop.abort()
      follower?.abort()
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', visible)
    }
  }, [key])

  const isCurrent = state.key === key
  return {
    data: isCurrent ? state.data : undefined,
    error: isCurrent ? state.error : undefined,
    refresh: () => trigger.current(),
  }
}

// Follows a stream of server-sent events until it ends; false when what answered is no stream. fetch, not
// EventSource, because that cannot send a credential.
async function follow(
  path: string, query: Query | undefined, signal: AbortSignal, onOpen: () => void, onPiece: (piece: Uint8Array) => void,
): Promise<boolean> {
  const answer = await call(url(path, { ...query, onlyNew: true }), { signal, headers: { accept: 'text/event-stream' } })
  if (!answer.headers.get('content-type')?.startsWith('text/event-stream') || !answer.body) {
    await answer.body?.cancel()
    return false
  }
  const reader = answer.body.getReader()
  onOpen()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return true
    onPiece(value)
  }
}

// Takes a stream piece by piece, wherever it is cut, and hands over the items in it: each is a line of data. Heartbeats are comments.
const DATA = 'data: '

export function itemsOf<E>(onItem: (item: E) => void): (piece: Uint8Array) => void {
  const decoder = new TextDecoder()
  let rest = ''
  return (piece) => {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.startsWith(DATA)) onItem(JSON.parse(line.slice(DATA.length)))
  }
}

// The time now, every second while `isTicking`.
export function useNow(isTicking: boolean): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (!isTicking) return
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [isTicking])
  return now
}
