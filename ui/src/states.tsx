// States of runs and tasks: each has a word, a shape and a colour, so that none of the three is needed to tell it.

import type { ComponentChildren } from 'preact'
import type { Status } from './types'

// `tone` is a class: its colour is in style.css, for both themes.
interface Look {
  word: string
  tone: string
  shape: ComponentChildren
}

const ring = <circle cx="8" cy="8" r="6" fill="none" />
const disc = <circle cx="8" cy="8" r="7" class="fill" />
const box = <rect x="1.5" y="1.5" width="13" height="13" rx="2.5" class="fill" />

const LOOKS: Record<Status, Look> = {
  SUCCESS: { word: 'Succeeded', tone: 'ok', shape: <>{disc}<path class="cut" d="M4.8 8.3l2.2 2.2 4.3-4.6" /></> },
  FAILED: { word: 'Failed', tone: 'bad', shape: <>{box}<path class="cut" d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" /></> },
  TIMED_OUT: { word: 'Timed out', tone: 'warn', shape: <>{disc}<path class="cut" d="M8 4.2V8l2.6 1.8" /></> },
  INTERNAL_ERROR: {
    word: 'Internal error',
    tone: 'internal',
    shape: <><path class="fill" d="M8 1l7.2 13.2H.8z" /><path class="cut" d="M8 6v3.6M8 11.7v.4" /></>,
  },
  CANCELED: { word: 'Canceled', tone: 'off', shape: <>{disc}<path class="cut" d="M4.8 8h6.4" /></> },
  UPSTREAM_FAILED: {
    word: 'Upstream failed',
    tone: 'bad',
    shape: <><rect x="2" y="2" width="12" height="12" rx="2.5" fill="none" /><path d="M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8" /></>,
  },
  UPSTREAM_CANCELED: { word: 'Upstream canceled', tone: 'off', shape: <>{ring}<path d="M5 8h6" /></> },
  EXCLUDED: { word: 'Excluded', tone: 'idle', shape: <><path fill="none" d="M8 1.8L14.2 8 8 14.2 1.8 8z" /><path d="M5.8 8h4.4" /></> },
  SKIPPED: { word: 'Skipped', tone: 'idle', shape: <path fill="none" d="M3 3.5L7.5 8 3 12.5M8.5 3.5L13 8l-4.5 4.5" /> },
  BLOCKED: { word: 'Waiting for upstream', tone: 'idle', shape: <circle cx="8" cy="8" r="6" fill="none" stroke-dasharray="2.4 2.3" /> },
  QUEUED: { word: 'Queued', tone: 'wait', shape: <path d="M2.5 4h11M2.5 8h11M2.5 12h6" /> },
  PENDING: { word: 'Pending', tone: 'wait', shape: <>{ring}<path class="fill" d="M8 2a6 6 0 010 12z" /></> },
  RUNNING: { word: 'Running', tone: 'run', shape: <><circle cx="8" cy="8" r="7" class="fill pulse" /><path class="solid-cut" d="M6.3 4.9v6.2L11.4 8z" /></> },
  CANCELING: { word: 'Canceling', tone: 'warn', shape: <>{ring}<path class="fill" d="M5.5 5.5h5v5h-5z" /></> },
  PAUSED: { word: 'Paused', tone: 'wait', shape: <>{ring}<path d="M6.2 5.6v4.8M9.8 5.6v4.8" /></> },
  WAITING: { word: 'Waiting', tone: 'wait', shape: <circle cx="8" cy="8" r="3" fill="none" /> },
  PAUSED_MAINTENANCE: { word: 'Paused for maintenance', tone: 'wait', shape: <>{disc}<path class="cut" d="M6.2 5.2v5.6M9.8 5.2v5.6" /></> },
}

const UNKNOWN: Look = { word: '', tone: 'idle', shape: <path d="M4 8h8" /> }

export const look = (status: Status | null | undefined): Look =>
  (status && LOOKS[status]) || { ...UNKNOWN, word: status ?? 'Not run' }
export const word = (status: Status | null | undefined) => look(status).word

const FINAL = new Set<Status>(
  ['SUCCESS', 'FAILED', 'CANCELED', 'TIMED_OUT', 'INTERNAL_ERROR', 'SKIPPED', 'UPSTREAM_FAILED', 'UPSTREAM_CANCELED', 'EXCLUDED'])
export const isFinal = (status: Status | null | undefined) => !!status && FINAL.has(status)

// What a repair selects when nothing is named.
const UNSUCCESSFUL = new Set<Status>(
  ['FAILED', 'TIMED_OUT', 'INTERNAL_ERROR', 'CANCELED', 'UPSTREAM_FAILED', 'UPSTREAM_CANCELED'])
export const isUnsuccessful = (status: Status | null | undefined) => !!status && UNSUCCESSFUL.has(status)
export const isOwnFailure = (status: Status | null | undefined) =>
  status === 'FAILED' || status === 'TIMED_OUT' || status === 'INTERNAL_ERROR'
export const SLOT_STATES: Status[] = ['PENDING', 'RUNNING', 'CANCELING', 'PAUSED_MAINTENANCE']
export const holdsSlot = (status: Status) => SLOT_STATES.includes(status)

// The shape alone: beside it, or in its title, stands the word.
export function Shape({ status, size = 14, title }: { status: Status | null | undefined; size?: number; title?: boolean }) {
  const { tone, shape, word } = look(status)
  return (
    <svg class={`shape tone-${tone}`} width={size} height={size} viewBox="0 0 16 16"
      {...(title ? { role: 'img', 'aria-label': word } : { 'aria-hidden': true })}>
      {title && <title>{word}</title>}
      {shape}
    </svg>
  )
}

export function Pill({ status, big }: { status: Status | null | undefined; big?: boolean }) {
  const { tone, word } = look(status)
  return (
    <span class={`pill tone-${tone}${big ? ' big' : ''}`} data-status={status ?? ''}>
      <Shape status={status} size={big ? 16 : 13} />
      {word}
    </span>
  )
}
