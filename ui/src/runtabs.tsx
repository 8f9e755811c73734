// The tabs of a run that are lists: parameters and where they come from, events, the definition that was used.

import { useMemo, useState } from 'preact/hooks'
import { useParameters } from './asof'
import { href } from './route'
import { Pill } from './states'
import { Time, attemptName } from './time'
import type { Parameter, Repair, Run, RunEvent } from './types'
import { CopyText, Empty, Loading, Name, Problem, Table, visible, visibleLines } from './ui'

// ---- parameters ----

const byName = (list: Parameter[] | null | undefined) => new Map((list ?? []).map((p) => [p.name, p.value ?? '']))

// As it was in that attempt: what later ones were given is not of it.
export function ParametersTab({ run, attempt, history: all }: { run: Run; attempt: Repair; history: Repair[] }) {
  const history = useMemo(() => all.filter((r) => r.key <= attempt.key), [all, attempt.key])
  const { parameters: effective, error } = useParameters(run, attempt, all.at(-1)?.key ?? 0)
  if (!effective) return error ? <Problem error={error} /> : <Loading />
  const given = history.map((r) => byName(r.parameters))
  const names = [...new Set([...effective.keys(), ...given.flatMap((g) => [...g.keys()])])]
  if (!names.length)
    return <Empty title="This run has no parameters"><p>A job's parameters are defaults; a run and each repair may set others.</p></Empty>
  return (
    <div class="scroll">
      <table class="plain stack">
        <caption class="hidden">Parameters, and who set them</caption>
        <thead>
          <tr>
            <th scope="col">Parameter</th><th scope="col">In effect</th><th scope="col">Set by</th>
            {history.map((r) => <th scope="col" key={r.key}>{r.key === 0 ? 'Given to the original' : `Given to repair ${r.key}`}</th>)}
          </tr>
        </thead>
        <tbody>
          {names.map((name) => {
            const by = given.findLastIndex((g) => g.has(name))
            return (
              <tr key={name}>
                <th scope="row"><Name text={name} /></th>
                <td data-label="in effect"><Value text={effective.get(name)} /></td>
                <td data-label="set by">{by < 0 ? 'the job (default)' : by === 0 ? 'the run' : `repair ${history[by].key}`}</td>
                {given.map((g, i) => <td key={history[i].key} data-label={history[i].key === 0 ? 'given to the original' : `given to repair ${history[i].key}`}><Value text={g.get(name)} /></td>)}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

export function Value({ text }: { text: string | null | undefined }) {
  if (text === undefined || text === null) return <span class="muted">–</span>
  if (text === '') return <span class="muted">empty</span>
  const lines = visibleLines(text)
  return lines.length > 300 || lines.includes('\n')
    ? <details><summary><code>{lines.slice(0, 60)}…</code></summary><pre>{lines}</pre></details> : <code class="value">{lines}</code>
}

// ---- events ----

const WORDS: Record<string, string> = { RUN_STATE: 'Run', TASK_STATE: 'Task', ATTEMPT: 'Attempt', REPAIR: 'Repair' }

export function EventsTab({ events }: { events: RunEvent[] }) {
  const [text, setText] = useState('')
  const items = useMemo(() => {
    const wanted = text.toLowerCase()
    const found = wanted
      ? events.filter((e) => [e.taskKey, e.type, e.from, e.to, e.reason].some((part) => part?.toLowerCase().includes(wanted)))
      : events
    return [...found].reverse()
  }, [events, text])
  return (
    <>
      <div class="toolbar">
        <input type="search" data-search placeholder="Filter events" aria-label="Filter events" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <span class="muted num">{items.length.toLocaleString()} {items.length === 1 ? 'event' : 'events'}, newest first</span>
      </div>
      <Table label="Events" items={items} keyOf={(e) => e.id} columns={[
        { title: 'Time', width: '10.5rem', cell: (e) => <span class="num"><Time at={e.time} exact /></span> },
        { title: 'About', width: 'minmax(8rem, 1fr)', cell: (e) => (e.taskKey ? <Name text={e.taskKey} /> : <em>the run</em>) },
        { title: 'Attempt', width: '10rem', cell: (e) => <span class="muted">{[e.repairKey ? `repair ${e.repairKey}` : '', e.attempt !== null ? attemptName(e.attempt) : ''].filter(Boolean).join(', ')}</span> },
        { title: 'To', width: '11.5rem', cell: (e) => (e.to ? <Pill status={e.to} /> : <span class="muted">{WORDS[e.type] ?? e.type}</span>) },
        { title: 'Why', width: 'minmax(12rem, 2fr)', cell: (e) => <span class="ellipsis" title={visible(e.reason ?? '')}>{visible(e.reason ?? '')}</span> },
      ]} />
    </>
  )
}

// ---- definition ----

export function Json({ value }: { value: unknown }) {
  const text = useMemo(() => JSON.stringify(value, null, 2), [value])
  return (
    <div class="json">
      <CopyText text={text} />
      <pre tabIndex={0}>{text}</pre>
    </div>
  )
}

// As it was written: what is unset is left out.
export function withoutUnset(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutUnset)
  if (value === null || typeof value !== 'object') return value
  const kept = Object.entries(value).filter(([, v]) => v !== null && !(Array.isArray(v) && v.length === 0))
  return Object.fromEntries(kept.map(([k, v]) => [k, withoutUnset(v)]))
}

// `isLost`: what there is of it is not the whole.
export function DefinitionTab({ run, isLost }: { run: Run; isLost: boolean }) {
  if (isLost) return <Empty title="This definition is not there any more"><p>It went with the job.</p></Empty>
  return (
    <div class="scroll">
      <p class="muted pad">
        What this run was made from: version {run.definitionVersion ?? '?'} of <a href={href(['jobs', run.jobKey], { tab: 'definition' })}><Name text={run.jobName ?? run.name} /></a>.
        Changing the job does not change it; a repair may choose another version.
      </p>
      <Json value={withoutUnset({
        name: run.name, maxConcurrentRuns: run.maxConcurrentRuns, timeoutSeconds: run.timeoutSeconds, tasks: run.tasks,
      })} />
    </div>
  )
}
