// Times in the reader's zone, planned ones in that of their schedule; both zones and UTC on hover. Durations.

import { skewMs } from './api'
import { useNow } from './live'
import { ownZone, plannedText, zoneOf } from './zone'

type Instant = number | string | null | undefined

const millis = (at: Instant): number | null =>
  at === null || at === undefined ? null : typeof at === 'number' ? at : Date.parse(at)

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })

export function localTime(ms: number): string {
  const at = new Date(ms)
  const now = new Date()
  if (at.toDateString() === now.toDateString()) return clock.format(at)
  return `${(at.getFullYear() === now.getFullYear() ? day : dayOfYear).format(at)}, ${clock.format(at)}`
}

export const utc = (ms: number) => `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} UTC`

// On hover: the whole time where the reader is, with the name of that zone, and in UTC.
export const both = (ms: number) => `${dayOfYear.format(ms)}, ${clock.format(ms)} ${ownZone}\n${utc(ms)}`

// `exact`: to the millisecond, where the order is to be seen.
export function Time({ at, none = '–', exact }: { at: Instant; none?: string; exact?: boolean }) {
  const ms = millis(at)
  if (ms === null || Number.isNaN(ms)) return <span class="muted">{none}</span>
  return (
    <time dateTime={new Date(ms).toISOString()} title={both(ms)}>
      {localTime(ms)}{exact && `.${String(Math.floor(ms) % 1000).padStart(3, '0')}`}
    </time>
  )
}

// A planned time as its schedule means it. The zone is named where it is not the reader's, unless it stands beside it.
export function Planned({ at, zone: name, isNamed }: { at: Instant; zone: string | null | undefined; isNamed?: boolean }) {
  const ms = millis(at)
  if (ms === null || Number.isNaN(ms)) return <span class="muted">–</span>
  const zone = zoneOf(name)
  return (
    <time dateTime={new Date(ms).toISOString()} title={`${plannedText(ms, zone)} ${zone.name}\n${both(ms)}`}>
      {plannedText(ms, zone)}{!isNamed && zone.name !== ownZone && <span class="muted"> {zone.name}</span>}
    </time>
  )
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–'
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`
  const s = Math.round(ms / 1000)
  const two = (n: number) => String(n).padStart(2, '0')
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} m`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}

// By the number that it has in the API, on the command line and in reasons: 0 is the first.
export const attemptName = (attempt: number) => `attempt ${attempt}`

// From start to end, or to now while there is no end.
export function Took({ from, to, isActive }: { from: Instant; to: Instant; isActive?: boolean }) {
  const now = useNow(!!isActive && millis(to) === null) + skewMs.value
  const start = millis(from)
  const end = millis(to) ?? (isActive ? now : null)
  return <span class="num">{start === null || end === null ? '–' : duration(end - start)}</span>
}
