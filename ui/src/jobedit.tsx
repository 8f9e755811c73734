// The definition of a job as text: a new one, a copy, or another version. The server says with every pause what it makes
// of it, and what is saved is what was read and changed: somebody else's change in between is shown, not lost.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ApiError, call, get, mayEdit, post, url } from './api'
import { Lines } from './difference'
import { DefinitionGraph } from './job'
import { NotJson, type Place, lineAt, placeOfMessage, places } from './jsonplace'
import { useRights } from './rights'
import { go, href } from './route'
import { withoutUnset } from './runtabs'
import { BEGINNINGS, begin } from './tasktypes'
import type { Job, TaskDef, WholeVersion } from './types'
import { Empty, Loading, Missing, Name, Problem, Tabs, visible } from './ui'

const PAUSE_MS = 300 // of writing, before the text is looked at
const LINE_PX = 19 // as the style has it
const MOST_UNDONE = 100_000 // characters

const FIRST = {
  name: 'hello',
  parameters: [{ name: 'who', value: 'world' }],
  tasks: [
    { taskKey: 'greet', type: 'SHELL_TASK', script: 'echo "Hello {{job.parameters.who}}"' },
    { taskKey: 'part', type: 'SHELL_TASK', script: 'echo Goodbye', dependsOn: [{ taskKey: 'greet' }] },
  ],
}

// What a task says when it says nothing of it.
const DEFAULTS: Record<string, unknown> = { runIf: 'ALL_SUCCESS', maxRetries: 0, minRetryIntervalMillis: 0, isRetryOnTimeout: false, source: 'WORKSPACE' }

// As somebody would write it: without what is unset or as by default, and which task it is first.
function written(definition: unknown): string {
  const kept = withoutUnset(definition)
  return JSON.stringify(kept, (name, value) => {
    if (name !== 'tasks' || !Array.isArray(value)) return value
    return value.map((task) => {
      if (task === null || typeof task !== 'object') return task
      const { taskKey, type, dependsOn, ...rest } = task
      return { taskKey, type, dependsOn, ...Object.fromEntries(Object.entries(rest).filter(([field, said]) => DEFAULTS[field] !== said)) }
    })
  }, 2)
}

// ---- what is edited ----

interface Base {
  text: string // as it was read, or as a new one begins
  etag: string | null // null: there is no such job yet
  version: number | null
}

async function readJob(jobKey: string): Promise<Base> {
  const answer = await call(url(`/jobs/${encodeURIComponent(jobKey)}`))
  const version = ((await answer.json()) as Job).definitionVersion
  const { definition } = await get<WholeVersion>(`/jobs/${encodeURIComponent(jobKey)}/versions/${version}`)
  return { text: written(definition), etag: answer.headers.get('etag'), version }
}

// A copy waits to be let go: two schedules that fire for one purpose are one too many.
async function copyOf(jobKey: string): Promise<Base> {
  const { name, schedule, continuous, ...rest } = JSON.parse((await readJob(jobKey)).text)
  const paused = (what: object | undefined) => what && { ...what, pauseStatus: 'PAUSED' }
  return { text: written({ name: `${name}_copy`, schedule: paused(schedule), continuous: paused(continuous), ...rest }), etag: null, version: null }
}

// ---- drafts: what was written and not saved stays in this tab ----

interface Draft {
  base: Base
  text: string
}

const draftName = (jobKey: string | null, from: string | null) => `reprise.draft.${jobKey ?? `new ${from ?? ''}`}`

function storedDraft(name: string): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? 'null')
  } catch {
    return null
  }
}

function keepDraft(name: string, draft: Draft | null) {
  try {
    if (draft) sessionStorage.setItem(name, JSON.stringify(draft))
    else sessionStorage.removeItem(name)
  } catch {
    // too large to be kept: the browser asks before the tab is left
  }
}

// ---- looking at it ----

interface Found {
  message: string
  place: Place
}

interface Seen {
  text: string // that was looked at
  errors: Found[]
  warnings: Found[]
  tasks: TaskDef[] | null // as they would be saved
  failure: unknown // the server could not be asked
}

interface Validation {
  isValid: boolean
  errors: { message: string }[]
  warnings: { message: string }[]
  definition: { tasks: TaskDef[] } | null
}

async function look(text: string, signal: AbortSignal): Promise<Seen> {
  const seen: Seen = { text, errors: [], warnings: [], tasks: null, failure: null }
  try {
    const whole = places(text)
    const answer = await call(url('/jobs/actions/validate'), { method: 'POST', body: JSON.parse(text), signal })
    const { errors, warnings, definition } = (await answer.json()) as Validation
    const found = ({ message }: { message: string }) => ({ message, place: placeOfMessage(whole, message) })
    return { ...seen, errors: errors.map(found), warnings: warnings.map(found), tasks: definition?.tasks ?? null }
  } catch (error) {
    if (error instanceof NotJson) return { ...seen, errors: [{ message: `Not JSON: ${error.message}`, place: { start: error.at, end: error.at + 1 } }] }
    return { ...seen, failure: error }
  }
}

function useLook(text: string | null): Seen | null {
  const [seen, setSeen] = useState<Seen | null>(null)
  useEffect(() => {
    if (text === null) return
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      const now = await look(text, stop.signal)
      if (!stop.signal.aborted) setSeen((before) => ({ ...now, tasks: now.tasks ?? before?.tasks ?? null }))
    }, seen ? PAUSE_MS : 0)
    return () => (clearTimeout(timer), stop.abort())
  }, [text])
  return seen
}

// ---- the screen ----

export function JobEditScreen({ jobKey, from }: { jobKey: string | null; from: string | null }) {
  const name = draftName(jobKey, from)
  const [draft] = useState(() => storedDraft(name))
  const [base, setBase] = useState<Base | null>(draft?.base ?? (jobKey || from ? null : { text: written(FIRST), etag: null, version: null }))
  const [round, setRound] = useState(0) // of editing: the next one begins with what is read anew
  const [error, setError] = useState<unknown>(null)
  const { mayChange } = useRights(jobKey ?? undefined)
  const isAllowed = jobKey ? mayChange : mayEdit.value
  const read = () => (jobKey ? readJob(jobKey) : from ? copyOf(from) : Promise.resolve({ text: written(FIRST), etag: null, version: null }))
  useEffect(() => {
    document.title = `${jobKey ? 'Edit a job' : 'New job'} – Reprise`
    if (!base) read().then(setBase, setError)
  }, [])
  if (!isAllowed)
    return <div class="screen"><Empty title="You may not change this"><p>Jobs are made and changed by administrators of a workspace, and by whom a job's permissions name.</p><p><a href={href(['jobs'])}>Jobs</a></p></Empty></div>
  if (!base) return error ? <Missing error={error} what="job"><a href={href(['jobs'])}>All jobs</a></Missing> : <Loading />
  async function discard() {
    setBase(await read())
    setRound(round + 1)
  }
  return <Editor key={round} jobKey={jobKey} base={base} begun={round ? null : draft} draftName={name} onDiscard={() => discard().catch(setError)} />
}

function Editor({ jobKey, base: first, begun, draftName, onDiscard }: {
  jobKey: string | null
  base: Base
  begun: Draft | null // what was found of before
  draftName: string
  onDiscard: () => void
}) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [base, setBase] = useState(first)
  const [text, setText] = useState(begun?.text ?? first.text)
  const [tab, setTab] = useState('graph')
  const [note, setNote] = useState(begun ? 'This is what you had written here before, and not saved.' : '')
  const [error, setError] = useState<unknown>(null)
  const [isSaving, setSaving] = useState(false)
  const token = useMemo(() => crypto.randomUUID(), [text])
  const seen = useLook(text)
  const isCurrent = seen?.text === text
  const isChanged = text !== base.text
  const isDone = useRef(false) // with this text, saved or not
  const mayChangeNothing = isCurrent && seen.errors.length > 0
  const latest = useRef<Draft | null>(null)
  latest.current = isDone.current || !isChanged ? null : { base, text }
  useEffect(() => {
    const timer = setTimeout(() => keepDraft(draftName, latest.current), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text, base])
  useEffect(() => () => keepDraft(draftName, latest.current), [])
  useEffect(() => {
    if (!isChanged) return
    const stay = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', stay)
    return () => removeEventListener('beforeunload', stay)
  }, [isChanged])

  function finish() {
    isDone.current = true
    latest.current = null
  }
  // As if it had been typed, so that it can be undone; but for what would take seconds.
  function write(next: string) {
    area.current?.focus()
    area.current?.select()
    if (next.length > MOST_UNDONE || !document.execCommand('insertText', false, next)) setText(next)
  }
  function point({ start, end }: Place) {
    const box = area.current
    if (!box) return
    box.focus()
    box.setSelectionRange(start, end)
    box.scrollTop = Math.max(0, (lineAt(text, start) - 4) * LINE_PX)
  }
  function parsed(): { tasks?: TaskDef[]; [field: string]: unknown } | null {
    try {
      places(text)
      return JSON.parse(text)
    } catch {
      return null
    }
  }
  function add(type: string) {
    const value = parsed()
    if (!value) return setNote('A task can be added as soon as the text is JSON.')
    const tasks = Array.isArray(value.tasks) ? value.tasks : []
    const next = JSON.stringify({ ...value, tasks: [...tasks, begin(type, tasks)] }, null, 2)
    write(next)
    const place = places(next).fields?.get('tasks')?.items?.at(-1)
    if (place) requestAnimationFrame(() => point(place))
  }
  function pointToTask(key: string) {
    const value = parsed()
    const at = value?.tasks?.findIndex((task) => task.taskKey === key) ?? -1
    const place = value && places(text).fields?.get('tasks')?.items?.[at]
    if (place) point(place)
  }
  function onKeyDown(event: KeyboardEvent & { currentTarget: HTMLElement }) {
    if ((event.ctrlKey || event.metaKey) && event.key === 's') {
      event.preventDefault()
      save()
    } else if (event.key === 'Enter' && area.current && event.target === area.current && !event.shiftKey) {
      const before = text.slice(0, area.current.selectionStart)
      const indent = /(?:^|\n)([ \t]*)[^\n]*$/.exec(before)![1] + (/[[{]\s*$/.test(before) ? '  ' : '')
      if (document.execCommand('insertText', false, `\n${indent}`)) event.preventDefault()
    }
  }

  // Nothing was saved. What there is now becomes what one's own text is compared with.
  async function conflict() {
    const now = await readJob(jobKey!)
    setBase(now)
    setTab('changes')
    setNote(`Somebody has saved version ${now.version} meanwhile, so nothing was saved. “Changes” shows what your text would change of it: save once more to have it so.`)
  }
  async function save() {
    const value = parsed()
    if (!value || isSaving || mayChangeNothing) return
    setSaving(true)
    setError(null)
    setNote('')
    try {
      const key = jobKey
        ? (await call(url(`/jobs/${encodeURIComponent(jobKey)}`), { method: 'PUT', body: value, headers: { 'if-match': base.etag ?? '*' } }), jobKey)
        : (await post<Job>('/jobs', value, { 'opc-retry-token': token })).key
      finish()
      go(href(['jobs', key], jobKey ? { tab: 'definition' } : {}))
      return
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.status === 412) await conflict().catch(setError)
      else setError(refusal)
    }
    setSaving(false)
  }

  return (
    <form class="screen edit" onKeyDown={onKeyDown} onSubmit={(event) => (event.preventDefault(), save())}>
      <div class="title-row">
        <h1>{jobKey ? <>Edit <Name text={JSON.parse(base.text).name} /></> : 'New job'}</h1>
        {jobKey && <span class="muted">version {base.version}</span>}
        <span class="grow" />
        {isChanged && <button type="button" onClick={() => (finish(), onDiscard())}>Discard changes</button>}
        <a class="button" href={href(jobKey ? ['jobs', jobKey] : ['jobs'])}>Back</a>
        <button type="submit" class="primary" title="Ctrl+S" disabled={isSaving || mayChangeNothing || (!!jobKey && !isChanged)}>{isSaving ? 'Saving…' : jobKey ? 'Save' : 'Create'}</button>
      </div>
      {note && <p class="notice" role="status">{note}</p>}
      {error !== null && <Problem error={error} />}
      <div class="edit-columns">
        <section class="edit-text" aria-label="Definition">
          <div class="toolbar">
            <select aria-label="Add a task" value="" onChange={(event) => (add(event.currentTarget.value), (event.currentTarget.value = ''))}>
              <option value="">Add a task…</option>
              {Object.entries(BEGINNINGS).map(([type, [title]]) => <option key={type} value={type}>{title}</option>)}
            </select>
            <button type="button" onClick={() => { const value = parsed(); if (value) write(JSON.stringify(value, null, 2)) }}>Format</button>
          </div>
          <TextArea area={area} text={text} onText={setText} marked={isCurrent ? seen.errors.map((found) => lineAt(text, found.place.start)) : []} />
        </section>
        <section class="edit-seen" aria-label="What it means">
          <Findings seen={seen} isCurrent={isCurrent} onPoint={point} />
          {base.etag && <Tabs tabs={[['graph', 'Graph'], ['changes', 'Changes']]} current={tab} label="What is shown" onSelect={setTab} />}
          <div class="edit-shown" {...(base.etag ? { role: 'tabpanel', id: 'panel', 'aria-labelledby': `tab-${tab}` } : {})}>
            {tab === 'changes' && base.etag ? <Changes before={base.text} text={seen?.text ?? text} />
              : !seen?.tasks?.length ? <Empty title="No graph yet"><p>It appears as soon as a text with tasks is right.</p></Empty>
              : <DefinitionGraph tasks={seen.tasks} onOpen={pointToTask} />}
          </div>
        </section>
      </div>
    </form>
  )
}

function TextArea({ area, text, onText, marked }: {
  area: { current: HTMLTextAreaElement | null }
  text: string
  onText: (text: string) => void
  marked: number[] // lines
}) {
  const numbers = useRef<HTMLPreElement>(null)
  const count = useMemo(() => text.split('\n').length, [text])
  const column = useMemo(() => Array.from({ length: count }, (_, i) => i + 1).join('\n'), [count])
  return (
    <div class="edit-area">
      <pre class="line-numbers" ref={numbers} aria-hidden="true">
        {column}
        {[...new Set(marked)].map((line) => <i key={line} style={{ top: `${10 + (line - 1) * LINE_PX}px` }} />)}
      </pre>
      <textarea ref={area} aria-label="Definition as JSON" spellcheck={false} autocapitalize="off" wrap="off" value={text}
        onInput={(event) => onText(event.currentTarget.value)}
        onScroll={(event) => numbers.current && (numbers.current.scrollTop = event.currentTarget.scrollTop)} />
    </div>
  )
}

function Findings({ seen, isCurrent, onPoint }: { seen: Seen | null; isCurrent: boolean; onPoint: (place: Place) => void }) {
  if (!seen) return <p class="findings muted" role="status">Looking…</p>
  if (seen.failure) return <div class="findings"><Problem error={seen.failure} title="Not checked" /></div>
  const row = (found: Found, tone: string, i: number) => (
    <li key={`${tone} ${i}`}>
      <strong class={`tone-${tone}`}>{tone === 'bad' ? 'Problem' : 'Ignored'}</strong>{' '}
      <button type="button" class="link" onClick={() => onPoint(found.place)}>line {lineAt(seen.text, found.place.start)}</button>{' '}
      <span>{visible(found.message)}</span>
    </li>
  )
  return (
    <div class="findings" role="status" aria-busy={!isCurrent}>
      {!seen.errors.length && <p><strong class="tone-ok">No problems</strong></p>}
      {seen.errors.length + seen.warnings.length > 0 && (
        <ul>{seen.errors.map((found, i) => row(found, 'bad', i))}{seen.warnings.map((found, i) => row(found, 'warn', i))}</ul>
      )}
    </div>
  )
}

// By what it means, not by how it is laid out.
function Changes({ before, text }: { before: string; text: string }) {
  const after = useMemo(() => {
    try {
      return written(JSON.parse(text))
    } catch {
      return null
    }
  }, [text])
  if (after === null) return <p class="pad muted">They are shown when the text is JSON.</p>
  return <Lines before={before} after={after} label="What saving changes" />
}
