// What was written and not saved: kept in this tab, by user, workspace and job, until it is saved, discarded or its user signs out.

import type { Draft } from './jobedit'

const PREFIX = 'reprise.draft.'
const kept = new Map<string, Draft>() // also what is too large for the browser's store, which is there for reloads
let era = 0

// Whoever writes drafts has to do with those of now: what is left behind by who has signed out is not taken any more.
export const draftEra = () => era

export function storedDraft(name: string): Draft | null {
  const draft = kept.get(name)
  if (draft) return draft
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? 'null')
  } catch {
    return null
  }
}

export function keepDraft(name: string, draft: Draft | null, since = era) {
  if (since !== era) return
  if (draft) kept.set(name, draft)
  else kept.delete(name)
  try {
    sessionStorage.removeItem(PREFIX + name)
    if (draft) sessionStorage.setItem(PREFIX + name, JSON.stringify(draft))
  } catch {
    // a reload would lose it: the browser asks before
  }
}

export function forgetDrafts() {
  era++
  kept.clear()
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name)
}
