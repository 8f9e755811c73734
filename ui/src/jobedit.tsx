// The definition of a job as text: a new one, a copy, or another version. The server says with every pause what it makes
// of it, and what is saved is what was read and changed: somebody else's change in between is shown, not lost.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ApiError, Unreachable, call, get, jsonOf, mayEdit, me, post, url, workspaceKey } from './api'
import { Lines } from './difference'
import { draftEra, keepDraft, storedDraft } from './drafts'
import { DefinitionGraph } from './job'
import { NotJson, type Place, lineCounter, placeOfMessage, places } from './jsonplace'
import { useRetryTokens } from './retry'
import { useRights } from './rights'
import { go, href } from './route'
import { withoutUnset } from './runtabs'
import { BEGINNINGS, begin } from './tasktypes'
import type { Job, TaskDef, WholeVersion } from './types'
import { Empty, Loading, Missing, Name, Problem, Tabs, visible } from './ui'

const PAUSE_MS = 300 // of writing, before the text is looked at
const RETRY_MS = 2000 // when the server cannot be reached
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

const isObject = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object' && !Array.isArray(value)

// What came from the other dialect is kept as it was sent.
const writtenFields = (whole: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(whole).filter(([, v]) => v !== null && !(Array.isArray(v) && !v.length)).map(([k, v]) => [k, k === 'x-dataarts' ? v : withoutUnset(v)]))

function writtenTask(task: unknown): unknown {
  if (!isObject(task)) return task
  const { taskKey, type, dependsOn, ...rest } = writtenFields(task)
  return { taskKey, type, dependsOn, ...Object.fromEntries(Object.entries(rest).filter(([field, said]) => DEFAULTS[field] !== said)) }
}

// As somebody would write it: without what is unset or as by default, and which task it is first.
function written(definition: unknown): string {
  if (!isObject(definition)) return JSON.stringify(definition, null, 2)
  const kept = writtenFields(definition)
  return JSON.stringify(Array.isArray(kept.tasks) ? { ...kept, tasks: kept.tasks.map(writtenTask) } : kept, null, 2)
}

// ---- what is edited ----

interface Base {
  name: string
  text: string // as it was read, or as a new one begins
  etag: string | null // null: there is no such job yet
  version: number | null
}

export interface Draft {
  base: Base
  text: string
}

const newBase = (definition: { name: string }): Base => ({ name: definition.name, text: written(definition), etag: null, version: null })

async function readJob(jobKey: string): Promise<Base> {
  const answer = await call(url(`/jobs/${encodeURIComponent(jobKey)}`))
  const { name, definitionVersion: version } = (await jsonOf(answer)) as Job
  const { definition } = await get<WholeVersion>(`/jobs/${encodeURIComponent(jobKey)}/versions/${version}`)
  return { name, text: written(definition), etag: answer.headers.get('etag'), version }
}

// A copy waits to be let go: two schedules that fire for one purpose are one too many.
async function copyOf(jobKey: string): Promise<Base> {
  const { name, schedule, continuous, ...rest } = JSON.parse((await readJob(jobKey)).text)
  const paused = (what: object | undefined) => what && { ...what, pauseStatus: 'PAUSED' }
  return newBase({ name: `${name}_copy`, schedule: paused(schedule), continuous: paused(continuous), ...rest })
}

// ---- looking at it ----

interface Found {
  message: string
  place: Place
  line: number
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
  const lineOf = lineCounter(text)
  try {
    const whole = places(text)
    const answer = await call(url('/jobs/actions/validate'), { method: 'POST', body: JSON.parse(text), signal })
    const { errors, warnings, definition } = (await jsonOf(answer)) as Validation
    const found = ({ message }: { message: string }) => {
      const place = placeOfMessage(whole, message)
      return { message, place, line: lineOf(place.start) }
    }
    return { ...seen, errors: errors.map(found), warnings: warnings.map(found), tasks: definition?.tasks ?? null }
  } catch (error) {
    if (error instanceof NotJson) return { ...seen, errors: [{ message: `Not JSON: ${error.message}`, place: { start: error.at, end: error.at + 1 }, line: lineOf(error.at) }] }
    return { ...seen, failure: error }
  }
}

function useLook(text: string): Seen | null {
  const [seen, setSeen] = useState<Seen | null>(null)
  const [tries, setTries] = useState(0) // the server was away
  useEffect(() => {
    const stop = new AbortController()
    let timer = setTimeout(async () => {
      const now = await look(text, stop.signal)
      if (stop.signal.aborted) return
      setSeen((before) => ({ ...now, tasks: now.tasks ?? before?.tasks ?? null }))
      if (now.failure instanceof Unreachable) timer = setTimeout(() => setTries(tries + 1), RETRY_MS)
    }, seen ? PAUSE_MS : 0)
    return () => (clearTimeout(timer), stop.abort())
  }, [text, tries])
  return seen
}

// ---- the screen ----

export function JobEditScreen({ jobKey, from }: { jobKey: string | null; from: string | null }) {
  const name = `${me.value.key ?? ''} ${workspaceKey()} ${jobKey ?? `new ${from ?? ''}`}`
  const [draft] = useState(() => storedDraft<Draft>(name))
  const [base, setBase] = useState<Base | null>(draft?.base ?? (jobKey || from ? null : newBase(FIRST)))
  const [round, setRound] = useState(0) // of editing: the next one begins with what is read anew
  const [error, setError] = useState<unknown>(null)
  const { mayChange, isKnown } = useRights(jobKey ?? undefined)
  const read = () => (jobKey ? readJob(jobKey) : from ? copyOf(from) : Promise.resolve(newBase(FIRST)))
  useEffect(() => {
    document.title = `${jobKey ? 'Edit a job' : 'New job'} – Reprise`
    if (base) return
    let timer = 0
    const begin = () => read().then(setBase, (problem) => {
      setError(problem)
      if (problem instanceof Unreachable) timer = setTimeout(begin, RETRY_MS)
    })
    begin()
    return () => clearTimeout(timer)
  }, [])
  if (!(jobKey ? mayChange : mayEdit.value))
    return !isKnown ? <Loading />
      : <div class="screen"><Empty title="You may not change this"><p>Jobs are made and changed by administrators of a workspace, and by whom a job's permissions name.</p><p><a href={href(['jobs'])}>Jobs</a></p></Empty></div>
  if (!base) return error ? <Missing error={error} what="job"><a href={href(['jobs'])}>All jobs</a></Missing> : <Loading />
  function restart(next: Base) {
    setBase(next)
    setRound(round + 1)
  }
  return <Editor key={round} jobKey={jobKey} base={base} begun={round ? null : draft} draftName={name} read={read} onRestart={restart} />
}

function Editor({ jobKey, base: first, begun, draftName, read, onRestart }: {
  jobKey: string | null
  base: Base
  begun: Draft | null // what was found of before
  draftName: string
  read: () => Promise<Base>
  onRestart: (base: Base) => void
}) {
  const area = useRef<HTMLTextAreaElement>(null)
  const [base, setBase] = useState(first)
  const [text, setText] = useState(begun?.text ?? first.text)
  const [tab, setTab] = useState('graph')
  const [note, setNote] = useState(begun ? 'This is what you had written here before, and not saved.' : '')
  const [error, setError] = useState<unknown>(null)
  const [isSaving, setSaving] = useState(false)
  const tokenOf = useRetryTokens()
  const seen = useLook(text)
  const isCurrent = seen?.text === text
  const isChanged = text !== base.text
  const maySave = !isSaving && !(isCurrent && seen.errors.length) && (!jobKey || isChanged)

  // A draft is kept when one pauses, and when one leaves; not behind a save, or of who has signed out.
  const latest = useRef<Draft | null>(null)
  latest.current = isChanged ? { base, text } : null
  const isHere = useRef(true)
  const [era] = useState(draftEra)
  const keep = (draft: Draft | null) => keepDraft(draftName, draft, era)
  useEffect(() => {
    const timer = setTimeout(() => keep(latest.current), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [text, base])
  // Layout effects end with the screen; the others a moment later, when one may be about to leave the page.
  useLayoutEffect(() => () => {
    isHere.current = false
    keep(latest.current)
  }, [])
  useLayoutEffect(() => {
    if (!isChanged) return
    const stay = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', stay)
    return () => removeEventListener('beforeunload', stay)
  }, [isChanged])

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
    box.scrollTop = Math.max(0, (lineCounter(box.value)(start) - 4) * LINE_PX)
  }
  function parsed(): Record<string, unknown> | null {
    try {
      places(text)
      const value = JSON.parse(text)
      return isObject(value) ? value : null
    } catch {
      return null
    }
  }
  function add(type: string) {
    const value = parsed()
    if (!value) return setNote('A task can be added as soon as the text is JSON.')
    const tasks = (Array.isArray(value.tasks) ? value.tasks.filter(isObject) : []) as unknown as TaskDef[]
    const next = JSON.stringify({ ...value, tasks: [...tasks, begin(type, tasks)] }, null, 2)
    write(next)
    const place = places(next).fields?.get('tasks')?.items?.at(-1)
    if (place) requestAnimationFrame(() => point(place))
  }
  function pointToTask(key: string) {
    const value = parsed()
    const at = Array.isArray(value?.tasks) ? value.tasks.findIndex((task) => task?.taskKey === key) : -1
    const place = value && places(text).fields?.get('tasks')?.items?.[at]
    if (place) point(place)
  }
  function onKeyDown(event: KeyboardEvent & { currentTarget: HTMLElement }) {
    if ((event.ctrlKey || event.metaKey) && event.key === 's') {
      event.preventDefault()
      save()
    } else if (event.key === 'Enter' && area.current && event.target === area.current && !event.shiftKey && !event.isComposing) {
      const before = text.slice(0, area.current.selectionStart)
      const line = before.slice(before.lastIndexOf('\n') + 1).trimEnd()
      const indent = /^[ \t]*/.exec(line)![0] + (/[[{]$/.test(line) ? '  ' : '')
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
    if (!value || !maySave) return
    setSaving(true)
    setError(null)
    setNote('')
    try {
      const key = jobKey
        ? (await call(url(`/jobs/${encodeURIComponent(jobKey)}`), { method: 'PUT', body: value, headers: { 'if-match': base.etag! } }), jobKey)
        : (await post<Job>('/jobs', value, { 'opc-retry-token': tokenOf(value) })).key
      latest.current = null
      keep(null)
      if (isHere.current) {
        setBase({ ...base, text })
        go(href(['jobs', key], jobKey ? { tab: 'definition' } : {}))
      }
      return
    } catch (refusal) {
      if (!isHere.current) return
      if (refusal instanceof ApiError && refusal.status === 412) await conflict().catch(setError)
      else setError(refusal)
    }
    setSaving(false)
  }

  async function discard() {
    try {
      const next = await read()
      latest.current = null
      onRestart(next)
    } catch (problem) {
      setError(problem)
    }
  }

  return (
    <form class="screen edit" onKeyDown={onKeyDown} onSubmit={(event) => (event.preventDefault(), save())}>
      <div class="title-row">
        <h1>{jobKey ? <>Edit <Name text={base.name} /></> : 'New job'}</h1>
        {jobKey && <span class="muted">version {base.version}</span>}
        <span class="grow" />
        {isChanged && <button type="button" disabled={isSaving} onClick={discard}>Discard changes</button>}
        <a class="button" href={href(jobKey ? ['jobs', jobKey] : ['jobs'])}>Back</a>
        <button type="submit" class="primary" title="Ctrl+S" disabled={!maySave}>{isSaving ? 'Saving…' : jobKey ? 'Save' : 'Create'}</button>
      </div>
      {note && <p class="notice" role="status">{note}</p>}
      {error !== null && <Problem error={error} isOnce={!jobKey} />}
      <div class="edit-columns">
        <section class="edit-text" aria-label="Definition">
          <div class="toolbar">
            <select aria-label="Add a task" value="" disabled={isSaving} onChange={(event) => (add(event.currentTarget.value), (event.currentTarget.value = ''))}>
              <option value="">Add a task…</option>
              {Object.entries(BEGINNINGS).map(([type, [title]]) => <option key={type} value={type}>{title}</option>)}
            </select>
            <button type="button" disabled={isSaving} onClick={() => { const value = parsed(); if (value) write(JSON.stringify(value, null, 2)) }}>Format</button>
          </div>
          <TextArea area={area} text={text} onText={setText} isFixed={isSaving} marked={isCurrent ? seen.errors.map((found) => found.line) : []} />
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

function TextArea({ area, text, onText, isFixed, marked }: {
  area: { current: HTMLTextAreaElement | null }
  text: string
  onText: (text: string) => void
  isFixed: boolean
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
      <textarea ref={area} aria-label="Definition as JSON" spellcheck={false} autocapitalize="off" wrap="off" readOnly={isFixed} value={text}
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
      <strong class={`tone-${tone}`}>{tone === 'bad' ? 'Problem' : 'Warning'}</strong>{' '}
      <button type="button" class="link" onClick={() => onPoint(found.place)}>line {found.line}</button>{' '}
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
