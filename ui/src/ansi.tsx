// Colours of terminals in log lines. ansi_up reads the escape sequences; what it would make into HTML is taken from it
// as pieces of text, which become text nodes: a log line is never parsed as HTML.

import { AnsiUp } from 'ansi_up'

interface Colour {
  rgb: number[]
  class_name: string
}

interface Fragment {
  text: string
  bold: boolean
  faint: boolean
  italic: boolean
  underline: boolean
  fg: Colour | null
  bg: Colour | null
}

// The steps of ansi_up that are replaced; its types call them private.
interface Reader {
  ansi_to_html: (text: string) => string
  transform_to_html: (fragment: Fragment) => string
  process_hyperlink: (packet: { url: string; text: string }) => string
  with_state: (packet: { text: string }) => Fragment
}

function pieces(text: string): Fragment[] {
  const found: Fragment[] = []
  const reader = new AnsiUp() as unknown as Reader
  reader.transform_to_html = (fragment) => {
    if (fragment.text) found.push(fragment)
    return ''
  }
  // A link is shown as its text, with its address: where it leads must be seen before it is followed.
  reader.process_hyperlink = ({ url, text }) => {
    found.push(reader.with_state({ text: `${text} (${url})` }))
    return ''
  }
  reader.ansi_to_html(text)
  reader.ansi_to_html('\n') // pushes out what looked like the beginning of a sequence
  return found
}

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g
const picture = (c: string) => (c === '\u007f' ? '␡' : String.fromCharCode(0x2400 + c.charCodeAt(0)))

export function Ansi({ text, mark }: { text: string; mark?: RegExp | null }) {
  if (!text.includes('\u001b')) return <>{marked(text.replace(CONTROL, picture), mark)}</>
  return (
    <>
      {pieces(text).map((piece, i) => {
        const shown = piece.text.replace(/\n$/, '').replace(CONTROL, picture)
        const classes = [piece.bold && 'b', piece.faint && 'faint', piece.italic && 'i', piece.underline && 'u',
          piece.fg && piece.fg.class_name !== 'truecolor' && piece.fg.class_name,
          piece.bg && piece.bg.class_name !== 'truecolor' && `${piece.bg.class_name}-bg`]
        const style = {
          color: piece.fg?.class_name === 'truecolor' ? `rgb(${piece.fg.rgb.join(' ')})` : undefined,
          backgroundColor: piece.bg?.class_name === 'truecolor' ? `rgb(${piece.bg.rgb.join(' ')})` : undefined,
        }
        return <span key={i} class={classes.filter(Boolean).join(' ')} style={style}>{marked(shown, mark)}</span>
      })}
    </>
  )
}

function marked(text: string, mark: RegExp | null | undefined) {
  if (!mark) return text
  const found = text.match(mark)
  if (!found || found.index === undefined || !found[0]) return text
  const end = found.index + found[0].length
  return <>{text.slice(0, found.index)}<mark>{found[0]}</mark>{text.slice(end)}</>
}
