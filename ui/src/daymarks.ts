// At which of the runs of a job, side by side, the day is written.

import type { GridRun, Job } from './types'
import { zoneOf, zonedDay } from './zone'

// By when it is known: a planned time, which tells runs of a backfill apart, else its start.
export const knownBy = (run: GridRun) => (run.plannedTime ? Date.parse(run.plannedTime) : run.startTime ?? Date.parse(run.timeCreated))
export const zoneOfRun = (run: GridRun, job: Job) => zoneOf(run.plannedTime ? job.schedule?.timezoneId : null)

export interface DayMark {
  isFirst: boolean // of a day, but for the oldest of all
  text: string // '': none here
}

// The day at its first run, unless that is nearer than `apart` columns to the one before that has it.
export function dayMarks(runs: GridRun[], job: Job, apart: number): DayMark[] {
  let [before, last] = ['', -Infinity]
  return runs.map((run, i) => {
    const zone = zoneOfRun(run, job)
    const day = zonedDay(knownBy(run), zone)
    const isNew = day !== before
    before = day
    if (!isNew || i - last < apart) return { isFirst: isNew && i > 0, text: '' }
    last = i
    return { isFirst: i > 0, text: zone.day.format(knownBy(run)) }
  })
}
