// Pieces that all screens share.

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { ApiError, Unreachable, isNotFound } from './api'
import { plainOf } from './plain'
import { href } from './route'

// ---- text of others ----

// A name that somebody chose: characters that are not seen, or that turn the direction of text, are shown as what
// they are. Everything on the page is a text node; nothing is ever parsed as HTML.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
const shown = (text: string, kept: string) =>
  text.replace(UNSEEN, (c) => (kept.includes(c) ? c : `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`))
export const visible = (text: string) => shown(text, '')
export const visibleLines = (text: string) => shown(text, '\n')
// What a task has written: in lines, without the colours of terminals.
export const visibleOutput = (text: string) => shown(plainOf(text), '\n\t')

export function Name({ text }: { text: string }) {
  const shown = visible(text)
  return <bdi class="name" title={shown}>{shown}</bdi>
}

export const short = (key: string) => key.slice(-8)

export function Key({ value }: { value: string }) {
  return <code class="key" title={value}>{short(value)}</code>
}

// A sentence of the server, with the keys in it cut short; those of runs lead there.
const UUID = /([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/

export function Message({ text }: { text: string | null | undefined }) {
  const parts = (text ?? '').split(UUID)
  const isRun = (i: number) => !parts[i - 1].endsWith('no job ')
  return <>{parts.map((part, i) => (i % 2 ? !isRun(i) ? <Key key={i} value={part} /> : <a key={i} href={href(['runs', part])}><Key value={part} /></a> : visible(part)))}</>
}

// ---- what went wrong, what is not there ----

// What the codes of refusals mean; the code itself is on hover, for who asks somebody else.
const REFUSALS: Record<string, string> = {
  NotAuthenticated: 'Signed out', NotAuthorizedOrNotFound: 'Not found', NotFound: 'Not found', IncorrectState: 'Not possible as it is now',
  InvalidParameter: 'Not accepted', MissingParameter: 'Something is missing', LimitExceeded: 'Too much', NoEtagMatch: 'It has changed meanwhile',
  PayloadTooLarge: 'Too much', TooManyRequests: 'Too many at once', InternalServerError: 'The server failed', ServiceUnavailable: 'The server cannot do it at the moment',
}

// `isOnce`: what was sent has a retry token.
export function Problem({ error, title, isOnce, children }: { error: unknown; title?: string; isOnce?: boolean; children?: ComponentChildren }) {
  const text = String((error as Error)?.message ?? error)
  return (
    <div class="problem" role="alert">
      <strong title={error instanceof ApiError ? error.code : undefined}>{title ?? (error instanceof ApiError ? REFUSALS[error.code] ?? error.code : 'Not possible')}</strong>
      <span>{/^[a-z]+[ ,:]/.test(text) ? text.slice(0, 1).toUpperCase() + text.slice(1) : text /* names of fields stay as they are */}</span>
      {isOnce && error instanceof Unreachable && <span>It may have arrived all the same. Sent again as it is, it is done once; with anything changed it is another one.</span>}
      {children}
    </div>
  )
}

// In place of a screen: what the address names is not there, or cannot be read. `what` without an article.
export function Missing({ error, what, children }: { error: unknown; what: string; children: ComponentChildren }) {
  const isGone = isNotFound(error)
  return (
    <div class="screen">
      {isGone ? <Empty title={`There is no such ${what}`}><p>It was deleted, or is in another workspace, or you may not see it.</p><p>{children}</p></Empty>
        : <Problem error={error}>{children}</Problem>}
    </div>
  )
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

export const Loading = () => <p class="loading" role="status">Loading…</p>

// Without TLS browsers have no navigator.clipboard, but copy what is selected. The field stands beside the button, for nothing outside
// a dialog can be selected.
async function copy(text: string, button: HTMLElement) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const field = document.createElement('textarea')
  field.className = 'hidden'
  field.value = text
  button.after(field)
  field.select()
  const isDone = document.execCommand('copy')
  field.remove()
  button.focus()
  if (!isDone) throw new Error('refused')
}

export function CopyText({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [told, setTold] = useState('')
  const tell = (said: string) => {
    setTold(said)
    setTimeout(() => setTold(''), 1500)
  }
  return (
    <button type="button" class="small" onClick={({ currentTarget }) =>
      copy(text, currentTarget).then(() => tell('Copied'), () => tell('The browser does not allow it'))}>
      {told || label}
    </button>
  )
}

// ---- tabs ----

export function Tabs({ tabs, current, onSelect, label }: {
  tabs: [id: string, title: string][]
  current: string
  onSelect: (id: string) => void
  label: string
}) {
  function onKeyDown(event: KeyboardEvent & { currentTarget: HTMLDivElement }) {
    const at = tabs.findIndex(([id]) => id === current)
    const to = ({ ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 } as Record<string, number>)[event.key]
    if (to === undefined) return
    event.preventDefault()
    const next = (to + tabs.length) % tabs.length
    onSelect(tabs[next][0])
    ;(event.currentTarget.children[next] as HTMLElement).focus()
  }
  // The selected one is in sight, also where not all of them are.
  const bar = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const [box, tab] = [bar.current, bar.current?.querySelector<HTMLElement>('[aria-selected=true]')]
    if (!box || !tab) return
    const left = tab.offsetLeft - box.offsetLeft
    const show = () => (box.scrollLeft = Math.max(Math.min(box.scrollLeft, left - 24), left + tab.offsetWidth + 24 - box.clientWidth))
    show()
    const observer = new ResizeObserver(show)
    observer.observe(box)
    return () => observer.disconnect()
  }, [current])
  return (
    <div class="tabs" ref={bar} role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map(([id, title]) => (
        <button key={id} type="button" role="tab" id={`tab-${id}`} aria-selected={id === current}
          aria-controls="panel" tabIndex={id === current ? 0 : -1} onClick={() => onSelect(id)}>
          {title}
        </button>
      ))}
    </div>
  )
}

// ---- dialogs ----

// `isFirm`: only its own buttons close it. `isHeld`: nothing does, for something is under way. `isOpaque`: nothing else is to be seen.
export function Dialog({ title, onClose, children, wide, isFirm, isHeld, isOpaque }: {
  title: string
  onClose: () => void
  children: ComponentChildren
  wide?: boolean
  isFirm?: boolean
  isHeld?: boolean
  isOpaque?: boolean
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const isPressed = useRef(false) // beside it: a selection that ends there is no wish to close it
  const id = useId()
  const isGone = useRef(false)
  useLayoutEffect(() => {
    ref.current!.showModal()
    return () => {
      isGone.current = true // the focus goes back to where it came from; nobody is told
      ref.current?.close()
    }
  }, [])
  const isForced = useRef(false) // whoever presses Escape again and again closes it, whatever its page says
  function asked(event: Event) {
    if (!isHeld) return
    event.preventDefault()
    isForced.current = !event.defaultPrevented
  }
  function closed() {
    if (isForced.current) ref.current?.showModal()
    else if (!isGone.current) onClose()
    isForced.current = false
  }
  return (
    <dialog ref={ref} class={`${wide ? 'wide' : ''}${isOpaque ? ' opaque' : ''}`} aria-labelledby={id} onClose={closed}
      onCancel={asked}
      onPointerDown={(event) => { isPressed.current = event.target === ref.current }}
      onClick={(event) => !isFirm && !isHeld && isPressed.current && event.target === ref.current && ref.current?.close()}>
      <div class="dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet" aria-label="Close" disabled={isHeld} onClick={() => ref.current?.close()}>✕</button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

// For its own buttons: so closed, it gives the focus back to where that came from, and calls onClose.
export const closeDialog = (event: { currentTarget: Element }) => event.currentTarget.closest('dialog')?.close()

// ---- searching ----

// A field, and steps from one of what is found (`count`, null: not known yet) to the next; `at` is -1 before the first.
export function Finder({ label, placeholder, text, onText, count, at, more = '', onStep }: {
  label: string
  placeholder: string
  text: string
  onText: (text: string) => void
  count: number | null
  at: number
  more?: string // behind the count
  onStep: (to: number) => void
}) {
  function step(by: number) {
    if (count) onStep(at < 0 ? (by < 0 ? count - 1 : 0) : (at + by + count) % count)
  }
  return (
    <div class="search">
      <input type="search" data-search placeholder={placeholder} aria-label={label} value={text} onInput={(event) => onText(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Enter' && (event.preventDefault(), step(event.shiftKey ? -1 : 1))} />
      {text && <span class="found num" role="status">{count === null ? '…' : !count ? 'none' : at < 0 ? `${count}${more} found` : `${at + 1} of ${count}${more}`}</span>}
      <button type="button" aria-label="Previous match" disabled={!count} onClick={() => step(-1)}>↑</button>
      <button type="button" aria-label="Next match" disabled={!count} onClick={() => step(1)}>↓</button>
    </div>
  )
}

// ---- what stands beside ----

// Escape closes it. If the focus is in it then, it goes back to where it was when what it shows, the `key`, was opened.
export function useSide(key: string | number, onClose: () => void): { current: HTMLElement | null } {
  const side = useRef<HTMLElement>(null)
  const opener = useRef<Element | null>(null)
  const hasFocus = () => !!side.current?.contains(document.activeElement)
  useLayoutEffect(() => {
    if (!hasFocus()) opener.current = document.activeElement
  }, [key])
  useLayoutEffect(() => () => {
    if (hasFocus() && opener.current?.isConnected) (opener.current as HTMLElement).focus()
  }, [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && !document.querySelector('dialog[open]') && onClose()
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
  return side
}

// ---- long lists ----

// Browsers cannot scroll further than this many pixels or so; longer lists are scrolled in proportion.
const MAX_SCROLL_PX = 6_000_000

export interface Rows {
  ref: { current: HTMLDivElement | null }
  onScroll: () => void
  first: number
  last: number // exclusive
  height: number // of what is scrolled
  top: number // of the first row within it
  scrollTo: (row: number) => void
  atEnd: () => boolean
}

// Which of `count` rows of one height are in sight of the element that scrolls.
export function useRows(count: number, rowPx: number, before = 0): Rows {
  const ref = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const full = count * rowPx + before
  const height = Math.min(full, MAX_SCROLL_PX)
  const room = Math.max(1, height - view.height)
  const scale = height < full ? (full - view.height) / room : 1
  const at = Math.max(0, view.top * scale - before)
  const first = Math.max(0, Math.min(count, Math.floor(at / rowPx)) - 6)
  const last = Math.min(count, Math.ceil((at + view.height) / rowPx) + 6)

  const measure = () => {
    const box = ref.current
    if (box) setView((v) => (v.top === box.scrollTop && v.height === box.clientHeight
      ? v : { top: box.scrollTop, height: box.clientHeight }))
  }
  useLayoutEffect(() => {
    measure()
    const observer = new ResizeObserver(measure)
    if (ref.current) observer.observe(ref.current)
    return () => observer.disconnect()
  }, [count > 0])

  return {
    ref,
    onScroll: measure,
    first,
    last,
    height,
    top: scale === 1 ? first * rowPx + before : view.top - (at - first * rowPx),
    scrollTo: (row) => {
      const box = ref.current
      if (box) box.scrollTop = Math.max(0, ((row + 0.5) * rowPx + before - box.clientHeight / 2) / scale)
    },
    atEnd: () => !ref.current || ref.current.scrollTop + ref.current.clientHeight >= ref.current.scrollHeight - 4,
  }
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const media = matchMedia(query)
    const changed = () => setMatches(media.matches)
    media.addEventListener('change', changed)
    return () => media.removeEventListener('change', changed)
  }, [query])
  return matches
}

export const NARROW = '(max-width: 700px)'

// On a narrow screen the columns of a row wrap.
const WRAPPED_PX = 72

// A table of any length: `cells` of a row become its columns; a row may be chosen. `narrow`: classes for where a column goes on
// a narrow screen.
export function Table<T>({ items, columns, rowPx = 32, wrappedPx = WRAPPED_PX, keyOf, onOpen, label, isCurrent }: {
  items: T[]
  columns: { title: string; width: string; narrow?: string; cell: (item: T) => ComponentChildren }[]
  rowPx?: number
  wrappedPx?: number
  keyOf: (item: T) => string | number
  onOpen?: (item: T) => void
  label: string
  isCurrent?: (item: T) => boolean
}) {
  const height = useMedia(NARROW) ? wrappedPx : rowPx
  const rows = useRows(items.length, height)
  const template = { gridTemplateColumns: columns.map((c) => c.width).join(' ') }
  return (
    <div class="table" role="table" aria-label={label} aria-rowcount={items.length + 1}>
      <div class="thead" role="row" style={template}>
        {columns.map((c) => <div role="columnheader" key={c.title}>{c.title}</div>)}
      </div>
      <div class="tbody" ref={rows.ref} onScroll={rows.onScroll} role="rowgroup" tabIndex={0} aria-label={`${label}: rows`}>
        <div role="presentation" style={{ height: `${rows.height}px` }}>
          <div role="presentation" style={{ transform: `translateY(${rows.top}px)` }}>
            {items.slice(rows.first, rows.last).map((item, i) => (
              <div key={keyOf(item)} role="row" aria-rowindex={rows.first + i + 2}
                class={`tr${onOpen ? ' open' : ''}${isCurrent?.(item) ? ' current' : ''}`}
                style={{ ...template, height: `${height}px` }}
                onClick={onOpen && ((event) => !(event.target as Element).closest('a,button') && onOpen(item))}>
                {columns.map((c) => <div role="cell" key={c.title} class={c.narrow}>{c.cell(item)}</div>)}
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  )
}
