// How long the runs of a job took, or one of its tasks in them: a bar each, oldest on the left.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { dayMarks } from './daymarks'
import { type Grid, runTime, statusOf, summaryOf, useGrid } from './griddata'
import { amend, href, route } from './route'
import { tookMs } from './runlist'
import { look, word } from './states'
import { duration } from './time'
import type { GridRun, Job, Status } from './types'
import { Empty, Loading, Problem, visible } from './ui'

interface Bar {
  run: GridRun
  status: Status | null
  ms: number | null // null: it did not run
}

const STEPS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  1_200_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 28_800_000, 86_400_000]

// Up to six lines at round values.
function ticks(most: number): number[] {
  const step = STEPS_MS.find((s) => most / s <= 6) ?? Math.ceil(most / 6 / 86_400_000) * 86_400_000
  return Array.from({ length: Math.floor(most / step) }, (_, i) => (i + 1) * step)
}

const DAY_PX = 60

// Of a part of the longest, above the days.
const height = (part: number) => ({ bottom: `calc(var(--days) + (100% - var(--days)) * ${part})` })

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]

const span = (from: number | null | undefined, to: number | null | undefined) => (from && to ? to - from : null)

export function Durations({ job, grid }: { job: Job; grid: Grid }) {
  const asked = route.value.query.get('task')
  const task = job.tasks.some((t) => t.taskKey === asked) ? asked : null
  const ofTask = useGrid(job.key, task, task !== null)
  const { data, error } = task === null ? grid : ofTask
  const shown = useMemo(() => [...(data?.runs ?? [])].reverse(), [data?.runs])
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (frame.current) frame.current.scrollLeft = frame.current.scrollWidth
  }, [shown.length, task])
  const [width, setWidth] = useState(innerWidth)
  useLayoutEffect(() => {
    const box = frame.current
    if (!box) return
    const observer = new ResizeObserver(() => setWidth(box.clientWidth))
    observer.observe(box)
    return () => observer.disconnect()
  }, [frame.current])
  useEffect(() => (task === null ? grid : ofTask).older(), [data === undefined, task]) // a hundred and more
  const bars: Bar[] = shown.map((run) => (task === null
    ? { run, status: run.status, ms: run.startTime === null ? null : tookMs(summaryOf(job.key, run)) }
    : { run, status: data ? statusOf(data, run, 0) : null, ms: span(run.taskStartTime, run.taskEndTime) }))
  const known = bars.flatMap((bar) => (bar.ms === null ? [] : [bar.ms]))
  const most = Math.max(1, ...known)
  const good = bars.flatMap((bar) => (bar.ms !== null && bar.status === 'SUCCESS' ? [bar.ms] : []))

  const days = useMemo(() => dayMarks(shown, job, Math.ceil(DAY_PX / Math.max(7, Math.min(28, width / Math.max(1, shown.length))))), [shown, job, width])

  function onKeyDown(event: KeyboardEvent) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const links = [...(frame.current?.querySelectorAll<HTMLElement>('a') ?? [])]
    const at = links.indexOf(document.activeElement as HTMLElement)
    if (!by || at < 0) return
    event.preventDefault()
    links[Math.max(0, Math.min(links.length - 1, at + by))].focus()
  }
  return (
    <div class="durations">
      <div class="toolbar">
        <label class="inline">Of
          <select aria-label="Durations of" value={task ?? ''} onChange={(event) => amend({ task: event.currentTarget.value || null })}>
            <option value="">the whole run</option>
            {job.tasks.map((t) => <option key={t.taskKey} value={t.taskKey}>{visible(t.taskKey)}</option>)}
          </select>
        </label>
        {good.length > 0 && <span class="muted num">{good.length} succeeded: median {duration(median(good))}, shortest {duration(Math.min(...good))}, longest {duration(Math.max(...good))}</span>}
      </div>
      {error && <Problem error={error} />}
      {!data ? !error && <Loading /> : !known.length ? <Empty title={task ? 'Nothing is known of this task yet' : 'No run has started yet'} /> : (
        <div class="chart">
          <div class="chart-axis" aria-hidden="true">
            {ticks(most).map((ms) => <span key={ms} style={height(ms / most)}>{duration(ms)}</span>)}
          </div>
          <div class="chart-frame" ref={frame} onKeyDown={onKeyDown} role="list" aria-label="Durations, oldest first">
            {ticks(most).map((ms) => <i key={ms} class="chart-line" style={height(ms / most)} aria-hidden="true" />)}
            {bars.map(({ run, status, ms }, i) => {
              const text = `${word(status)}, ${run.plannedTime ? 'planned for ' : ''}${runTime(run, job)}, ${ms !== null ? duration(ms) : 'did not run'}`
              return (
                <span key={run.key} role="listitem">
                  <a class={`chart-bar tone-${look(status).tone}`} href={href(['runs', run.key], { task })} title={text} aria-label={text} tabIndex={i === bars.length - 1 ? 0 : -1}>
                    <i class={status === 'SUCCESS' ? '' : 'notched'} style={{ height: ms === null ? '2px' : `${Math.max(1.5, (ms / most) * 100)}%` }} />
                  </a>
                  {days[i].text && <span class="chart-day" aria-hidden="true">{days[i].text}</span>}
                </span>
              )
            })}
          </div>
        </div>
      )}
    </div>
  )
}
