// Who may do what: secrets of the workspace, tokens, users, and who changed what. Who is no ADMIN sees to their own tokens.

import { useEffect, useState } from 'preact/hooks'
import { accounts, call, jsonOf, listAccounts, mayAdminister, mayEdit, me, skewMs, workspaceKey } from './api'
import { AuditTab } from './audit'
import { FormDialog } from './formdialog'
import { useLive } from './live'
import { amend, route } from './route'
import { Time } from './time'
import { CopyText, Dialog, Empty, Loading, Name, Problem, Table, Tabs, closeDialog, visible } from './ui'
import { UsersTab } from './users'

const DAY_MS = 86_400_000

// ---- the screen ----

const TABS: [string, string][] = [['secrets', 'Secrets'], ['tokens', 'Tokens'], ['users', 'Users'], ['audit', 'Audit']]

export function AccessScreen() {
  useEffect(() => {
    document.title = 'Access – Reprise'
  }, [])
  const tabs = TABS.filter(([id]) => id === 'tokens' || (id === 'secrets' ? mayEdit.value : mayAdminister.value))
  const asked = route.value.query.get('tab')
  const tab = tabs.find(([id]) => id === asked)?.[0] ?? tabs[0][0]
  return (
    <div class="screen">
      <h1>Access</h1>
      <Tabs tabs={tabs} current={tab} label="What to see to" onSelect={(id) => amend({ tab: id, user: null })} />
      <div class="panel" role="tabpanel" id="panel" aria-labelledby={`tab-${tab}`}>
        {tab === 'secrets' && <SecretsTab />}
        {tab === 'tokens' && <TokensTab user={route.value.query.get('user')} />}
        {tab === 'users' && <UsersTab />}
        {tab === 'audit' && <AuditTab />}
      </div>
    </div>
  )
}

// ---- secrets ----

interface Secret {
  name: string
  timeUpdated: string
  updatedByName: string | null
}

function SecretsTab() {
  const workspace = workspaceKey()
  const { data, error, refresh } = useLive<Secret[]>(`secrets ${workspace}`, (signal) => listAccounts('/secrets', { workspace }, signal), { every: 15_000 })
  const [replacing, setReplacing] = useState<Secret | 'new' | null>(null)
  const [removing, setRemoving] = useState<Secret | null>(null)
  return (
    <>
      <div class="toolbar">
        <span class="muted">Passwords and tokens that jobs of this workspace name. A value is never shown again.</span>
        <span class="grow" />
        <button type="button" onClick={() => setReplacing('new')}>New secret…</button>
      </div>
      {error && <Problem error={error} />}
      {!data ? !error && <Loading /> : !data.length ? <Empty title="There are no secrets"><p>A task is given one with <code>x-secrets</code>, a repository with <code>credential</code>.</p></Empty> : (
        <Table label="Secrets" rowPx={40} wrappedPx={92} items={data} keyOf={(secret) => secret.name} columns={[
          { title: 'Secret', width: 'minmax(12rem, 1fr)', narrow: 'n-grow', cell: (secret) => <Name text={secret.name} /> },
          { title: 'Set', width: 'minmax(12rem, 1fr)', narrow: 'n-full', cell: (secret) => <><Time at={secret.timeUpdated} />{secret.updatedByName && <> by <Name text={secret.updatedByName} /></>}</> },
          { title: 'Change it', width: '14rem', narrow: 'n-full', cell: (secret) => (
            <span class="row">
              <button type="button" class="small" aria-label={`Replace ${visible(secret.name)}`} onClick={() => setReplacing(secret)}>Replace…</button>
              <button type="button" class="small danger" aria-label={`Delete ${visible(secret.name)}`} onClick={() => setRemoving(secret)}>Delete…</button>
            </span>
          ) },
        ]} />
      )}
      {replacing && <SecretDialog secret={replacing === 'new' ? null : replacing} workspace={workspace} onClose={() => (setReplacing(null), refresh())} />}
      {removing && (
        <FormDialog title={`Delete ${visible(removing.name)}?`} verb="Delete" doing="Deleting…" isDanger onClose={() => (setRemoving(null), refresh())}
          onSubmit={() => call(accounts(`/secrets/${encodeURIComponent(removing.name)}`, { workspace }), { method: 'DELETE' })}>
          <p>It cannot be brought back. Tasks and repositories that name it will not start.</p>
        </FormDialog>
      )}
    </>
  )
}

function SecretDialog({ secret, workspace, onClose }: { secret: Secret | null; workspace: string; onClose: () => void }) {
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const save = () => (secret
    ? call(accounts(`/secrets/${encodeURIComponent(secret.name)}`, { workspace }), { method: 'PUT', body: { value } })
    : call(accounts('/secrets', { workspace }), { method: 'POST', body: { name, value } }))
  return (
    <FormDialog title={secret ? `Replace ${visible(secret.name)}` : 'New secret'} verb="Save" doing="Saving…" onClose={onClose} onSubmit={save}>
      {!secret && <label class="field">Name<input required maxLength={128} autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>}
      <label class="field">Value
        <textarea required rows={3} spellcheck={false} autocomplete="off" class="secret" value={value} onInput={(event) => setValue(event.currentTarget.value)} />
      </label>
    </FormDialog>
  )
}

// ---- tokens ----

interface Token {
  key: string
  name: string
  kind: 'TOKEN' | 'SESSION' | 'IAM'
  timeCreated: string
  timeExpires: string | null
  timeRevoked: string | null
}

const KINDS = { TOKEN: 'token', SESSION: 'sign-in of the page', IAM: 'sign-in of the DataArts API' }
const isOver = (token: Token) => !!token.timeRevoked || (!!token.timeExpires && Date.parse(token.timeExpires) <= Date.now() + skewMs.value)

function TokensTab({ user }: { user: string | null }) {
  const { data, error, refresh } = useLive<Token[]>(`tokens ${user ?? ''}`, (signal) => listAccounts('/tokens', { user }, signal), { every: 15_000 })
  const [showsOver, setShowsOver] = useState(false)
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<string | null>(null)
  const [revoking, setRevoking] = useState<Token | null>(null)
  const shown = data?.filter((token) => showsOver || !isOver(token)).sort((a, b) => b.timeCreated.localeCompare(a.timeCreated))
  return (
    <>
      <div class="toolbar">
        <span class="muted">{user ? <>Of <b><Name text={user} /></b>.</> : 'Your own.'} Programs sign in with a token; it is as good as its user.</span>
        <span class="grow" />
        <label class="inline"><input type="checkbox" checked={showsOver} onChange={(event) => setShowsOver(event.currentTarget.checked)} />Those that are over too</label>
        <button type="button" onClick={() => setMaking(true)}>New token…</button>
      </div>
      {error && <Problem error={error} />}
      {!shown ? !error && <Loading /> : !shown.length ? <Empty title="There are no tokens" /> : (
        <Table label="Tokens" rowPx={40} wrappedPx={96} items={shown} keyOf={(token) => token.key} columns={[
          { title: 'For', width: 'minmax(10rem, 1fr)', narrow: 'n-grow', cell: (token) => <Name text={token.name} /> },
          { title: 'Kind', width: '14rem', narrow: 'n-full', cell: (token) => <span class="muted">{KINDS[token.kind]}</span> },
          { title: 'Made', width: '10rem', cell: (token) => <Time at={token.timeCreated} /> },
          { title: 'Good until', width: '11rem', cell: (token) => (token.timeRevoked ? <>revoked <Time at={token.timeRevoked} /></> : <Time at={token.timeExpires} none="it is revoked" />) },
          { title: 'End it', width: '7rem', cell: (token) => !isOver(token) && <button type="button" class="small danger" aria-label={`Revoke ${visible(token.name)}`} onClick={() => setRevoking(token)}>Revoke…</button> },
        ]} />
      )}
      {isMaking && <TokenDialog user={user} onMade={setMade} onClose={() => (setMaking(false), refresh())} />}
      {made && (
        <Dialog title="The new token" isFirm onClose={() => setMade(null)}>
          <p>It is shown this once.</p>
          <pre data-token>{made}</pre>
          <footer><CopyText text={made} /><button type="button" class="primary" onClick={closeDialog}>Done</button></footer>
        </Dialog>
      )}
      {revoking && (
        <FormDialog title={`Revoke ${visible(revoking.name)}?`} verb="Revoke" doing="Revoking…" isDanger onClose={() => (setRevoking(null), refresh())}
          onSubmit={() => call(accounts(`/tokens/${encodeURIComponent(revoking.key)}`), { method: 'DELETE' })}>
          <p>Whoever signs in with it is refused from now on, and so is who signed in with it on the page.</p>
        </FormDialog>
      )}
    </>
  )
}

const LIVES: [days: number, text: string][] = [[30, '30 days'], [90, '90 days'], [365, 'a year'], [0, 'until it is revoked']]

function TokenDialog({ user, onMade, onClose }: { user: string | null; onMade: (token: string) => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const [days, setDays] = useState(LIVES[1][0])
  async function make() {
    const timeExpires = days ? new Date(Date.now() + skewMs.value + days * DAY_MS).toISOString() : undefined
    onMade((await jsonOf(await call(accounts('/tokens'), { method: 'POST', body: { name, user: user ?? me.value.key ?? undefined, timeExpires } }))).token)
  }
  return (
    <FormDialog title={user ? `New token of ${visible(user)}` : 'New token'} verb="Make it" doing="Making…" onClose={onClose} onSubmit={make}>
      <label class="field">What it is for<input required maxLength={255} autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label class="field">Good for
        <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>{LIVES.map(([life, text]) => <option key={life} value={life}>{text}</option>)}</select>
      </label>
    </FormDialog>
  )
}
