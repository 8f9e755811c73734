// The output of a task's attempts: followed while it runs, searched, coloured, whatever its size.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Ansi } from './ansi'
import { call, get, url } from './api'
import { useLive } from './live'
import { LOG_MAX_BYTES, LogStore } from './logstore'
import { amend, route } from './route'
import { Shape, isFinal, isOwnFailure, word } from './states'
import { duration } from './time'
import type { Run, TaskRun } from './types'
import { Empty, Loading, Name, Problem, useRows } from './ui'

const ROW_PX = 19
const MAX_FOUND = 10_000
const ERROR_LINE = /\b(error|exception|traceback|fatal|panic(ked)?|critical|segmentation fault)\b|^\w*(Error|Exception)\b/i
const escapeRegExp = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

type Map2 = Record<string, string>

export function Logs({ run, taskRuns, tasks }: { run: Run; taskRuns: Map2; tasks: { key: string; status: TaskRun['state']['status'] | null }[] }) {
  const query = route.value.query
  const asked = query.get('task')
  const first = tasks.find((t) => isOwnFailure(t.status)) ?? tasks.find((t) => t.status === 'RUNNING') ?? tasks.find((t) => t.status === 'SUCCESS') ?? tasks[0]
  const taskKey = asked && taskRuns[asked] ? asked : first?.key
  const taskRunKey = taskKey ? taskRuns[taskKey] : undefined
  if (!taskKey || !taskRunKey)
    return <Empty title="No task has run"><p>Output appears here as soon as a task of this run starts.</p></Empty>
  return (
    <div class="logs">
      <nav class="logs-tasks" aria-label="Tasks">
        {tasks.map((task) => (
          <button key={task.key} type="button" aria-current={task.key === taskKey} onClick={() => amend({ task: task.key, attempt: null, stream: null })}>
            <Shape status={task.status} title /><Name text={task.key} />
          </button>
        ))}
      </nav>
      <TaskLog key={taskRunKey} taskRunKey={taskRunKey} isRunActive={!isFinal(run.state.status)} />
    </div>
  )
}

function TaskLog({ taskRunKey, isRunActive }: { taskRunKey: string; isRunActive: boolean }) {
  const query = route.value.query
  const { data: task, error } = useLive<TaskRun>(`taskRun ${taskRunKey}`, (signal) => get(`/taskRuns/${taskRunKey}`, {}, signal),
    { isActive: (t) => !isFinal(t.state.status) && isRunActive })
  if (error && !task) return <Problem error={error} />
  if (!task) return <Loading />
  const newest = task.retryAttempt
  if (newest === null)
    return (
      <Empty title="This task has not been started">
        <p>{word(task.state.status)}: {task.state.stateMessage}</p>
      </Empty>
    )
  const attempt = Number(query.get('attempt') ?? newest)
  const stream = query.get('stream') ?? (isOwnFailure(task.state.status) ? 'stderr' : 'stdout')
  const numbers = Array.from({ length: newest + 1 }, (_, i) => i)
  const one = task.retries.find((retry) => retry.retryNumber === attempt)
  return (
    <LogView key={`${attempt} ${stream}`} taskRunKey={taskRunKey} attempt={attempt} stream={stream}
      isGrowing={attempt === newest && !isFinal(task.state.status)} name={task.taskKey}>
      <div class="segments" role="group" aria-label="Stream">
        {['stdout', 'stderr'].map((name) => (
          <button key={name} type="button" aria-pressed={name === stream} onClick={() => amend({ stream: name })}>{name}</button>
        ))}
      </div>
      {newest > 0 && (
        <label class="inline">Attempt
          <select value={attempt} onChange={(event) => amend({ attempt: event.currentTarget.value })}>
            {numbers.map((n) => <option key={n} value={n}>{n === 0 ? '0 (first)' : n === newest ? `${n} (newest)` : n}</option>)}
          </select>
        </label>
      )}
      {one && <span class="muted nowrap">{word(one.state.status)}{one.executionDuration !== null && `, ${duration(one.executionDuration)}`}</span>}
    </LogView>
  )
}

// Reads until the output ends: the store grows, and `version` tells that it did.
function useLog(taskRunKey: string, attempt: number, stream: string, isGrowing: boolean) {
  const store = useMemo(() => new LogStore(), [])
  const [version, setVersion] = useState(0)
  const [error, setError] = useState<unknown>(null)
  const [isComplete, setComplete] = useState(false)
  const growing = useRef(isGrowing)
  growing.current = isGrowing

  useEffect(() => {
    const stop = new AbortController()
    let pause = new AbortController() // while nobody looks, nothing is followed: see live.ts
    let frame = 0
    const seen = () => {
      if (document.visibilityState === 'hidden') pause.abort()
      else pause = new AbortController()
    }
    document.addEventListener('visibilitychange', seen)
    const changed = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0
        setVersion((v) => v + 1)
      })
    }
    let next = 0 // of the file; the store has no room for what the server has cut out of it
    async function readOnce(): Promise<number> {
      const from = store.length
      const follow = growing.current || undefined
      const answer = await call(url(`/taskRuns/${taskRunKey}/logs`, { attempt, stream, offset: next, follow }), { signal: AbortSignal.any([stop.signal, pause.signal]) })
      next = Number(answer.headers.get('x-reprise-offset') ?? next)
      const reader = answer.body!.getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        store.append(value)
        next += value.length
        changed()
        if (store.isFull) {
          await reader.cancel()
          break
        }
      }
      return store.length - from
    }
    async function readAll() {
      while (!stop.signal.aborted && !store.isFull) {
        const wasGrowing = growing.current
        try {
          const got = await readOnce()
          setError(null)
          if (got) continue
          if (!wasGrowing) break
          await new Promise((resolve) => setTimeout(resolve, 500))
        } catch (problem) {
          if (stop.signal.aborted) return
          if (pause.signal.aborted) {
            await new Promise((resolve) => document.addEventListener('visibilitychange', resolve, { once: true }))
            continue
          }
          setError(problem)
          if (!(problem instanceof TypeError)) return
          await new Promise((resolve) => setTimeout(resolve, 2000)) // the server is away: go on where it stopped
        }
      }
      if (!stop.signal.aborted) setComplete(true)
    }
    readAll()
    return () => {
      stop.abort()
      cancelAnimationFrame(frame)
      document.removeEventListener('visibilitychange', seen)
    }
  }, [])
  return { store, version, error, isComplete }
}

function LogView({ taskRunKey, attempt, stream, isGrowing, name, children }: {
  taskRunKey: string
  attempt: number
  stream: string
  isGrowing: boolean
  name: string
  children: preact.ComponentChildren
}) {
  const { store, version, error, isComplete } = useLog(taskRunKey, attempt, stream, isGrowing)
  const count = store.lines
  const rows = useRows(count, ROW_PX)
  const [follows, setFollows] = useState(isGrowing)
  const [needle, setNeedle] = useState('')
  const [found, setFound] = useState<number[] | null>(null)
  const [at, setAt] = useState(-1)
  const [marked, setMarked] = useState(-1)
  const [note, setNote] = useState('')
  const search = useRef<HTMLInputElement>(null)
  const pattern = useMemo(() => (needle ? new RegExp(escapeRegExp(needle), 'i') : null), [needle])

  useEffect(() => {
    if (follows) rows.scrollTo(count)
  }, [follows, version])

  useEffect(() => {
    setFound(null)
    setAt(-1)
    if (!pattern) return
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      const lines = await store.find(pattern, MAX_FOUND, 0, stop.signal)
      if (stop.signal.aborted) return
      setFound(lines)
      if (lines.length) show(lines, 0)
    }, 150)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [pattern])

  function show(lines: number[], index: number) {
    setFollows(false)
    setAt(index)
    setMarked(lines[index])
    rows.scrollTo(lines[index])
  }
  const step = (by: number) => found?.length && show(found, (at + by + found.length) % found.length)

  async function firstError() {
    const [line] = await store.find(ERROR_LINE, 1, 0, new AbortController().signal)
    setNote(line === undefined ? 'No line looks like an error' : `Line ${line + 1}`)
    if (line !== undefined) show([line], 0)
  }

  async function download() {
    const answer = await call(url(`/taskRuns/${taskRunKey}/logs`, { attempt, stream, offset: 0 }))
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await answer.blob())
    link.download = `${name}.${attempt}.${stream}.txt`.replace(/[^\w.-]+/g, '_')
    link.click()
    URL.revokeObjectURL(link.href)
  }

  const digits = String(count).length
  return (
    <div class="log">
      <div class="toolbar">
        {children}
        <span class="grow" />
        <button type="button" onClick={firstError}>First error</button>
        {isGrowing && <button type="button" aria-pressed={follows} onClick={() => setFollows(!follows)}>Follow</button>}
        {!isGrowing && <button type="button" onClick={() => rows.scrollTo(count)}>End</button>}
        <button type="button" onClick={download}>Download</button>
        <div class="search">
          <input ref={search} type="search" data-search placeholder="Search" aria-label="Search in the output" value={needle}
            onInput={(event) => setNeedle(event.currentTarget.value)}
            onKeyDown={(event) => event.key === 'Enter' && (event.preventDefault(), step(event.shiftKey ? -1 : 1))} />
          {pattern && (
            <span class="found num" role="status">
              {found === null ? '…' : found.length ? `${at + 1} of ${found.length}${found.length === MAX_FOUND ? '+' : ''}` : 'none'}
            </span>
          )}
          <button type="button" aria-label="Previous match" disabled={!found?.length} onClick={() => step(-1)}>↑</button>
          <button type="button" aria-label="Next match" disabled={!found?.length} onClick={() => step(1)}>↓</button>
        </div>
      </div>
      {error !== null && <Problem error={error} />}
      <div class="log-lines" ref={rows.ref} tabIndex={0} role="log" aria-live="off" aria-label={`${stream} of ${name}`}
        onScroll={() => {
          rows.onScroll()
          if (follows && !rows.atEnd()) setFollows(false)
        }}>
        {count === 0 && (
          <p class="muted pad">{isComplete ? `Nothing was written to ${stream}.` : isGrowing ? `Nothing on ${stream} yet.` : 'Reading…'}</p>
        )}
        <div style={{ height: `${rows.height}px` }}>
          <div style={{ transform: `translateY(${rows.top}px)` }}>
            {Array.from({ length: Math.max(0, rows.last - rows.first) }, (_, i) => rows.first + i).map((line) => (
              <div key={line} class={`log-line${line === marked ? ' marked' : ''}`}>
                <span class="line-number" style={{ width: `${digits + 1}ch` }} aria-hidden="true">{line + 1}</span>
                <span class="line-text"><Ansi text={store.line(line)} mark={pattern} /></span>
              </div>
            ))}
          </div>
        </div>
      </div>
      <div class="log-foot muted">
        <span class="num">{count.toLocaleString()} {count === 1 ? 'line' : 'lines'}, {size(store.length)}</span>
        {store.isFull && <span>The page shows the first {size(LOG_MAX_BYTES)}; download the rest.</span>}
        <span role="status">{note}</span>
        <span>{isGrowing ? 'Live' : isComplete ? 'Complete' : 'Reading…'}</span>
      </div>
    </div>
  )
}

function size(bytes: number) {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1 << 20) return `${(bytes / 1024).toFixed(1)} KiB`
  return `${(bytes / (1 << 20)).toFixed(1)} MiB`
}
