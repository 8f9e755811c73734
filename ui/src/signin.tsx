// The first screen of a browser that nobody is signed in with.

import { useEffect, useState } from 'preact/hooks'
import { ApiError, away, place, resume, signInWithCode, signInWithToken } from './api'
import { Dialog, Problem, closeDialog, visible } from './ui'

export function SignIn({ refusal }: { refusal: unknown }) {
  useEffect(() => {
    document.title = 'Sign in – Reprise'
  }, [])
  return (
    <main class="sign-in">
      <div class="sheet">
        <h1><Logo /> Reprise</h1>
        <TokenForm refusal={refusal} />
      </div>
    </main>
  )
}

// Over a page whose user is away, and which is not to be seen meanwhile: with the user it is there as it was.
export function SignInAgain() {
  const [error, setError] = useState<unknown>(null)
  const by = away.value?.by
  const user = place.value ? visible(place.value.user) : ''
  return (
    <Dialog title={by ? 'Somebody else is signed in' : 'The session has ended'} onClose={() => undefined} isHeld isOpaque>
      {by ? (
        <>
          <p>In this browser <b>{visible(by)}</b> has signed in in place of <b>{user}</b>, whose page this is.</p>
          <p><button type="button" onClick={() => resume().catch(setError)}>Go on as {visible(by)}</button></p>
        </>
      ) : <p>It is good for a limited time, and ends with the token that it was begun with. Nothing that you have written here is lost: sign in as <b>{user}</b> and go on.</p>}
      {error !== null && <Problem error={error} />}
      <TokenForm refusal={null} where="in another tab " />
    </Dialog>
  )
}

// An address with a code may come from anybody: whoever is signed in does not become somebody else by opening it.
export function SignInInstead({ code, onClose }: { code: string; onClose: () => void }) {
  const [error, setError] = useState<unknown>(null)
  const user = place.value ? visible(place.value.user) : ''
  return (
    <Dialog title="Sign in as somebody else?" onClose={onClose}>
      <p>You are signed in as <b>{user}</b>. The address that was opened signs in another user. Go on only if you asked for that.</p>
      {error !== null && <Problem error={error} />}
      <footer>
        <button type="button" autoFocus onClick={closeDialog}>Stay {user}</button>
        <button type="button" onClick={() => signInWithCode(code, true).then(onClose, setError)}>Sign in as the other</button>
      </footer>
    </Dialog>
  )
}

function TokenForm({ refusal, where = '' }: { refusal: unknown; where?: string }) {
  const [token, setToken] = useState('')
  const [error, setError] = useState<unknown>(refusal)
  const is401 = error instanceof ApiError && error.status === 401
  useEffect(() => setError(refusal), [refusal])
  const [isBusy, setBusy] = useState(false)
  async function submit(event: Event) {
    event.preventDefault()
    // What the field holds: Enter may come before what was typed, or filled in by the browser, has come around.
    const given = new FormData(event.currentTarget as HTMLFormElement).get('token')
    setBusy(true)
    setError(null)
    try {
      await signInWithToken(String(given ?? '').trim())
    } catch (problem) {
      setError(problem)
    }
    setBusy(false)
  }
  return (
    <form onSubmit={submit}>
      <p>Open {where}the address that <code>reprise sign-in</code> prints, or sign in with a token.</p>
      <label class="field">Token
        <input type="password" name="token" autoComplete="current-password" autoFocus required value={token} spellcheck={false}
          onInput={(event) => setToken(event.currentTarget.value)} />
      </label>
      <p class="muted">The first administrator's is in the server's data folder, the file <code>admin.token</code>.</p>
      {error !== null && error !== undefined && <Problem error={error} title={!is401 ? undefined : error === refusal ? 'Not signed in' : 'This token is not accepted'} />}
      <button type="submit" class="primary" disabled={isBusy}>{isBusy ? 'Signing in…' : 'Sign in'}</button>
    </form>
  )
}

export function Logo() {
  return (
    <svg class="logo" width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M9 8v16M12.5 8v16M23 8v16" />
      <circle cx="17.5" cy="12.5" r="1.9" /><circle cx="17.5" cy="19.5" r="1.9" />
    </svg>
  )
}
