// The page of Reprise: it speaks the public API of the server that it came from, and keeps nothing of its own.

import { signal } from '@preact/signals'
import { Component, type ComponentChildren, render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { AccessScreen } from './access'
import { ApiError, Unreachable, away, isOffline, me, place, resume, signInWithCode, signOut } from './api'
import { CampaignScreen, CampaignsScreen } from './campaigns'
import { FormDialog } from './formdialog'
import { JobScreen } from './job'
import { JobEditScreen } from './jobedit'
import { JobsScreen } from './jobs'
import { kept } from './kept'
import { NowScreen } from './now'
import { RepairScreen } from './repair'
import { go, href, route, workspaceAsked } from './route'
import { RunScreen } from './run'
import { RunsScreen } from './runlist'
import { Logo, SignIn, SignInAgain, SignInInstead } from './signin'
import { Dialog, Empty, Loading, Problem, visible } from './ui'

// ---- theme: as the system, unless the reader said otherwise ----

type Theme = 'auto' | 'light' | 'dark'
const THEMES: Theme[] = ['auto', 'light', 'dark']
const theme = kept<Theme>('reprise.theme', THEMES)
theme.subscribe((value) => (document.documentElement.dataset.theme = value))

function ThemeSwitch() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]
  return (
    <button type="button" class="quiet" title={`Theme: ${theme.value}`} aria-label={`Theme: ${theme.value}. Change to ${next}`} onClick={() => (theme.value = next)}>
      {{ auto: '◐', light: '☀', dark: '☾' }[theme.value]}
    </button>
  )
}

// ---- screens ----

function Screen() {
  const [what, key, action] = route.value.path
  if (what === 'runs' && key && action === 'repair') return <RepairScreen key={key} runKey={key} />
  if (what === 'runs' && key) return <RunScreen key={key} runKey={key} />
  if (what === 'runs') return <RunsScreen />
  if (what === 'jobs' && key === 'new') return <JobEditScreen key={`new ${route.value.query.get('from')}`} jobKey={null} from={route.value.query.get('from')} />
  if (what === 'jobs' && key && action === 'edit') return <JobEditScreen key={`edit ${key}`} jobKey={key} from={null} />
  if (what === 'jobs' && key) return <JobScreen key={key} jobKey={key} />
  if (what === 'jobs' || !what) return <JobsScreen />
  if (what === 'campaigns' && key) return <CampaignScreen key={key} campaignKey={key} />
  if (what === 'campaigns') return <CampaignsScreen />
  if (what === 'now') return <NowScreen />
  if (what === 'access') return <AccessScreen />
  return <Empty title="There is no such page"><p><a href={href(['jobs'])}>Jobs</a></p></Empty>
}

// A mistake of ours shows what it was instead of an empty page.
class Boundary extends Component<{ children: ComponentChildren; at: string }, { error: unknown; at: string }> {
  state = { error: null as unknown, at: '' }
  static getDerivedStateFromError(error: unknown) {
    return { error }
  }
  componentDidUpdate(before: { at: string }) {
    if (before.at !== this.props.at && this.state.error) this.setState({ error: null })
  }
  render() {
    if (this.state.error)
      return <Problem error={this.state.error}><button type="button" onClick={() => this.setState({ error: null })}>Try again</button></Problem>
    return this.props.children
  }
}

const KEYS: [string, string][] = [
  ['g n', 'Now'], ['g j', 'Jobs'], ['g r', 'Runs'], ['g c', 'Campaigns'], ['g a', 'Access'], ['/', 'Search on this page'], ['r', 'Repair the run that is open'],
  ['← →', 'From tab to tab; in a graph, along its edges; in the grid, from cell to cell'], ['Enter, Space', 'Open, or select for a repair'],
  ['+ − 0', 'Zoom the graph; show all of it'], ['Esc', 'Close'], ['?', 'This list'],
]

function useShortcuts(showHelp: () => void) {
  useEffect(() => {
    let before = ''
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input,select,textarea,dialog')) return
      const pair = `${before} ${event.key}`
      before = event.key
      const to = { 'g n': 'now', 'g j': 'jobs', 'g r': 'runs', 'g c': 'campaigns', 'g a': 'access' }[pair]
      if (to) go(href([to]))
      else if (event.key === '?') showHelp()
      else if (event.key === '/') {
        event.preventDefault()
        document.querySelector<HTMLInputElement>('[data-search]')?.focus()
      } else if (before !== 'g') document.querySelector<HTMLElement>(`[data-key="${CSS.escape(event.key)}"]`)?.click()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

// Shown where there is a choice.
function Workspaces() {
  const all = place.value ? place.value.workspaces : []
  const first = all[0]?.key
  const here = workspaceAsked.value ?? first
  if (all.length < 2 && here === first) return null
  return (
    <select class="workspaces" aria-label="Workspace" value={here} onChange={(event) => {
      const to = event.currentTarget.value
      const screen = encodeURIComponent(route.value.path[0] ?? 'jobs') // a job or run of one is in no other
      go(to === first ? `#/${screen}` : `#/w/${encodeURIComponent(to)}/${screen}`)
    }}>
      {all.map((w) => <option key={w.key} value={w.key}>{visible(w.displayName)}</option>)}
      {!all.some((w) => w.key === here) && <option value={here}>{visible(here ?? '')}</option>}
    </select>
  )
}

function Shell() {
  const [help, setHelp] = useState(false)
  const [isStaying, setStaying] = useState(false) // who wanted to sign out
  useShortcuts(() => setHelp(true))
  const at = place.value
  const here = route.value.path[0] ?? 'jobs'
  const links: [string, string][] = [['now', 'Now'], ['jobs', 'Jobs'], ['runs', 'Runs'], ['campaigns', 'Campaigns'], ['access', 'Access']]
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), document.getElementById('main')?.focus())}>Skip to the content</a>
      <header class="bar-top">
        <a class="brand" href={href(['jobs'])}><Logo />Reprise</a>
        <nav aria-label="Screens">
          {links.map(([id, title]) => <a key={id} href={href([id])} aria-current={here === id ? 'page' : undefined}>{title}</a>)}
        </nav>
        <Workspaces />
        <span class="grow" />
        {isOffline.value && <span class="offline" role="status">The server cannot be reached; trying again…</span>}
        {at && <span class="muted user">{at.user}</span>}
        <button type="button" class="quiet" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => setHelp(true)}>?</button>
        <ThemeSwitch />
        <button type="button" class="quiet" onClick={() => signOut().catch(() => setStaying(true))}>Sign out</button>
      </header>
      <main id="main" tabIndex={-1}>
        <Boundary at={route.value.path.join('/')} key={workspaceAsked.value ?? ''}><Screen /></Boundary>
      </main>
      {isStaying && (
        <FormDialog title="You are still signed in" verb="Sign out" doing="Signing out…" onClose={() => setStaying(false)} onSubmit={signOut}>
          <p>The server did not end the session: whoever has this browser can go on with it. Try again.</p>
        </FormDialog>
      )}
      {help && (
        <Dialog title="Keyboard" onClose={() => setHelp(false)}>
          <dl class="keys">{KEYS.map(([keys, text]) => <div key={keys}><dt><kbd>{keys}</kbd></dt><dd>{text}</dd></div>)}</dl>
        </Dialog>
      )}
    </>
  )
}

// ---- beginning ----

const refusal = signal<unknown>(null)
const strange = signal<string | null>(null) // a code of somebody else than who is signed in
const RETRY_MS = 2000

// A code in the address is good for one use: it is taken out before it is tried.
async function begin() {
  const code = new URLSearchParams(location.search).get('code') ?? new URLSearchParams(location.hash.slice(1)).get('code')
  if (code) {
    history.replaceState(null, '', '/')
    dispatchEvent(new HashChangeEvent('hashchange'))
    try {
      await signInWithCode(code)
      return
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) strange.value = code
      else refusal.value = error
    }
  }
  try {
    await resume()
  } catch (error) {
    if (!(error instanceof Unreachable)) refusal.value = error
    setTimeout(begin, RETRY_MS)
  }
}

function App() {
  if (place.value === null)
    return <main class="sign-in">{isOffline.value ? <p role="status">The server cannot be reached; trying again…</p> : refusal.value ? <Problem error={refusal.value} /> : <Loading />}</main>
  return place.value ? <><Shell key={me.value.key} />{away.value && <SignInAgain />}{strange.value && <SignInInstead code={strange.value} onClose={() => (strange.value = null)} />}</>
    : <SignIn refusal={refusal.value} />
}

// The address with a code may be opened where the page is open already.
addEventListener('hashchange', () => location.hash.startsWith('#code=') && begin())

const root = document.getElementById('app')!
root.textContent = ''
render(<App />, root)
begin()
