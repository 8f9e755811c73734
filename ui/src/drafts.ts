// What was written and not saved: kept in this tab, by user, workspace and what it is about, until it is saved, discarded or its user
// signs out.

const PREFIX = 'reprise.draft.'
const kept = new Map<string, unknown>() // also what is too large for the browser's store, which is there for reloads
let era = 0

// Whoever writes drafts has to do with those of now: what is left behind by who has signed out is not taken any more.
export const draftEra = () => era

export function storedDraft<T>(name: string): T | null {
  const draft = kept.get(name)
  if (draft) return draft as T
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name) ?? 'null')
  } catch {
    return null
  }
}

export function keepDraft(name: string, draft: object | null, since = era) {
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
