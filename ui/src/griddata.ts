// The newest runs of a job with the states of their tasks: one call for a screen of them, more as one scrolls back.
// Kept current by the job's own events; a run in which nothing happened is not sent again.

import { useEffect, useRef, useState } from 'preact/hooks'
import { getPage } from './api'
import { knownBy, zoneOfRun } from './daymarks'
import { useLive } from './live'
import { localTime } from './time'
import type { GridAnswer, GridRun, Job, RunSummary, Status } from './types'
import { ownZone, plannedText } from './zone'

// What a screen shows at once; then as many again, out of sight; then a hundred whenever one has scrolled back to the oldest.
const pageRuns = (page: number) => (page < 2 ? 50 : 100)
const runsOf = (pages: number) => (pages < 3 ? 50 * pages : 100 * (pages - 1))
const MOST_RUNS = 2000 // further back there is the list of runs

interface Known extends GridAnswer {
  byKey: Map<string, GridRun>
  hasOlder: boolean
}

export interface Grid {
  data: Known | undefined
  error: Error | undefined
  older: () => void // asks for the runs before those that are there
}

// One pass over the pages that are wanted. False: the answer before cannot be built upon.
async function read(jobKey: string, taskKey: string | null, pages: number, before: Known | null, signal: AbortSignal): Promise<Known | null> {
  let first: GridAnswer | undefined
  let next: string | null = null
  const byKey = new Map<string, GridRun>()
  for (let i = 0; i < pages; i++) {
    const page: { body: GridAnswer; next: string | null } = await getPage<GridAnswer>(`/jobs/${encodeURIComponent(jobKey)}/grid`,
      { limit: pageRuns(i), page: next, taskKey, after: before?.lastEvent }, signal)
    first ??= page.body
    if (before && page.body.definitionVersion !== before.definitionVersion) return null
    for (const run of page.body.runs) {
      const old = before?.byKey.get(run.key)
      if (run.states === null && !old) return null
      // What is the same stays the same object: nothing is drawn anew for it.
      byKey.set(run.key, run.states === null ? (old!.timeUpdated === run.timeUpdated ? old! : { ...run, states: old!.states }) : run)
    }
    next = page.next
    if (!next) break
  }
  return { ...first!, runs: [...byKey.values()], byKey, hasOlder: next !== null }
}

export function useGrid(jobKey: string, taskKey: string | null = null, isWanted = true): Grid {
  const [pages, setPages] = useState(1)
  const known = useRef<{ of: string; data: Known } | null>(null)
  const of = `${jobKey} ${taskKey ?? ''} ${isWanted}`
  const { data, error, refresh } = useLive<Known | undefined>(`grid ${of}`, async (signal) => {
    if (!isWanted) return undefined
    const before = known.current?.of === of ? known.current.data : null
    const now = (await read(jobKey, taskKey, pages, before, signal)) ?? (await read(jobKey, taskKey, pages, null, signal))!
    known.current = { of, data: now }
    return now
  }, { stream: '/events', streamQuery: { jobKey }, isActive: () => isWanted })
  useEffect(() => {
    if (pages > 1) refresh()
  }, [pages])
  const older = () => {
    if (data?.hasOlder && data.runs.length < MOST_RUNS && data.runs.length >= runsOf(pages)) setPages(pages + 1)
  }
  return { data, error, older }
}

export const statusOf = (data: GridAnswer, run: GridRun, row: number): Status | null => data.letters[run.states?.[row] ?? ''] ?? null

export const summaryOf = (jobKey: string, run: GridRun): RunSummary =>
  ({ ...run, jobKey, jobName: '', name: '', state: { status: run.status, stateMessage: null, errorTrace: null } })

export function runTime(run: GridRun, job: Job): string {
  if (!run.plannedTime) return localTime(knownBy(run))
  const zone = zoneOfRun(run, job)
  return `${plannedText(knownBy(run), zone)}${zone.name === ownZone ? '' : ` ${zone.name}`}`
}
