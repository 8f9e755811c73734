// A Quartz expression in words, where there are short ones that say exactly the same; null for all others, which are
// shown as they are.

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const SHORT = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

const number = (text: string, most: number) => (/^\d{1,2}$/.test(text) && Number(text) <= most ? Number(text) : null)
const two = (n: number) => String(n).padStart(2, '0')
const isAny = (text: string) => text === '*' || text === '?'

// How often of `whole`, if it begins at 0 and comes out even.
function step(text: string, whole: number): number | null {
  const found = /^(?:\*|0)\/(\d{1,2})$/.exec(text)
  const every = Number(found?.[1] ?? 0)
  return every > 1 && whole % every === 0 ? every : null
}

function dayName(text: string): string | null {
  const named = SHORT.indexOf(text.toUpperCase())
  const at = named >= 0 ? named : (number(text, 7) ?? 0) - 1 // 1 is Sunday
  return DAYS[at] ?? null
}

export function ordinal(n: number): string {
  return `${n}${n % 100 > 10 && n % 100 < 14 ? 'th' : ['th', 'st', 'nd', 'rd'][n % 10] ?? 'th'}`
}

// On which days: '' is every day.
function days(dayOfMonth: string, dayOfWeek: string): string | null {
  if (isAny(dayOfMonth) && isAny(dayOfWeek)) return ''
  if (isAny(dayOfMonth)) {
    const range = dayOfWeek.split('-').map(dayName)
    if (range.length === 2) return range[0] && range[1] ? `${range[0]} to ${range[1]}` : null
    const each = dayOfWeek.split(',').map(dayName)
    if (each.some((name) => !name)) return null
    return each.length === 1 ? `every ${each[0]}` : `${each.slice(0, -1).join(', ')} and ${each.at(-1)}`
  }
  if (!isAny(dayOfWeek)) return null
  if (dayOfMonth === 'L') return 'monthly on the last day'
  const day = number(dayOfMonth, 31)
  return day ? `monthly on the ${ordinal(day)}` : null
}

// At what times of such a day.
function times(minute: string, hour: string): string | null {
  const m = number(minute, 59)
  const h = number(hour, 23)
  if (m !== null && h !== null) return `at ${two(h)}:${two(m)}`
  const hours = /^(\d{1,2})-(\d{1,2})$/.exec(hour)
  const from = hours && number(hours[1], 23)
  const to = hours && number(hours[2], 23)
  const within = hour === '*' ? '' : from !== null && to !== null && from < to ? ` from ${two(from)}:${two(m ?? 0)} to ${two(to)}:${two(m ?? 59)}` : null
  const everyMinutes = step(minute, 60)
  if (within !== null) {
    if (m !== null) return m === 0 ? `every hour${within}` : `every hour at :${two(m)}${within}`
    if (minute === '*') return `every minute${within}`
    if (everyMinutes) return `every ${everyMinutes} minutes${within && from !== null ? ` from ${two(from)}:00 to ${two(to!)}:${two(60 - everyMinutes)}` : ''}`
  }
  const everyHours = step(hour, 24)
  return everyHours && m !== null ? `every ${everyHours} hours${m ? ` at :${two(m)}` : ''}` : null
}

export function cronWords(expression: string): string | null {
  const [second, minute, hour, dayOfMonth, month, dayOfWeek, year, more] = expression.trim().split(/\s+/)
  if (!dayOfWeek || more !== undefined || month !== '*' || (year !== undefined && year !== '*')) return null
  const when = days(dayOfMonth, dayOfWeek)
  if (when === null) return null
  if (second === '*' && minute === '*' && hour === '*') return when ? null : 'Every second'
  if (second !== '0') return null
  const at = times(minute, hour)
  if (at === null) return null
  const words = when ? `${when} ${at}` : at.startsWith('at') ? `every day ${at}` : at
  return words[0].toUpperCase() + words.slice(1)
}
