// Times in the zone of a schedule, whatever zone the reader is in.

const TO_THE_SECOND = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone

export interface Zone {
  name: string // as the schedule has it
  id: string // as the browser knows it
  day: Intl.DateTimeFormat
  dayOfYear: Intl.DateTimeFormat
  clock: Intl.DateTimeFormat
}

const zones = new Map<string, Zone>()

// Java's GMT+8 and GMT-03:30, which browsers do not know by that name.
function browserId(name: string): string {
  const [, sign, hours, minutes] = /^(?:GMT|UTC|UT)([+-])(\d{1,2}):?(\d{2})?$/.exec(name) ?? []
  if (!sign) return name
  return Number(minutes ?? 0) ? `${sign}${hours.padStart(2, '0')}:${minutes}` : `Etc/GMT${sign === '+' ? '-' : '+'}${Number(hours)}`
}

// The reader's where there is none; UTC in place of one that the browser does not know.
export function zoneOf(name: string | null | undefined): Zone {
  const wanted = name ?? ownZone
  let zone = zones.get(wanted)
  if (zone) return zone
  try {
    const id = browserId(wanted)
    const in_ = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(undefined, { ...options, timeZone: id })
    zone = { name: wanted, id, day: in_({ day: 'numeric', month: 'short' }), dayOfYear: in_({ day: 'numeric', month: 'short', year: 'numeric' }), clock: in_(TO_THE_SECOND) }
  } catch {
    zone = zoneOf('UTC')
  }
  zones.set(wanted, zone)
  return zone
}

export const zonedDay = (ms: number, { dayOfYear }: Zone) => dayOfYear.format(ms)
export const zonedClock = (ms: number, { clock }: Zone) => clock.format(ms).replace(/[:.]00$/, '') // planned times have no seconds, mostly

export function plannedText(ms: number, zone: Zone) {
  const year = (at: number) => new Date(wallMs(at, zone)).getUTCFullYear()
  const isThisYear = year(ms) === year(Date.now())
  return `${(isThisYear ? zone.day : zone.dayOfYear).format(ms)}, ${zonedClock(ms, zone)}`
}

// ---- as fields have it: a wall clock of a zone, to the minute ----

const walls = new Map<string, Intl.DateTimeFormat>()

// What a clock there shows, as if it were UTC.
function wallMs(ms: number, zone: Zone): number {
  let format = walls.get(zone.name)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: zone.id, ...TO_THE_SECOND, day: '2-digit', month: '2-digit', year: 'numeric' })
    walls.set(zone.name, format)
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second)
}

export const toWall = (ms: number, zone: string | null | undefined) => new Date(wallMs(ms, zoneOf(zone))).toISOString().slice(0, 16)

// The first moment at which a clock there shows that; where the hour was left out, what it would have been.
export function fromWall(text: string, name: string | null | undefined): number {
  const wanted = Date.parse(`${text}Z`)
  const zone = zoneOf(name)
  const offsets = [-86_400_000, 86_400_000].map((by) => wallMs(wanted + by, zone) - wanted - by)
  const found = offsets.map((offset) => wanted - offset).filter((ms) => wallMs(ms, zone) === wanted)
  return found.length ? Math.min(...found) : wanted - offsets[0]
}
