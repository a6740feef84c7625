/**
 * Text as HTML, in elements and in quoted attributes. Models and users write anything, so all that is not our own goes through it. Control
 * characters, which HTML does not allow, are shown as U+FFFD.
 */
export function escaped(text: string): string {
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '\ufffd').replace(/[&<>"'`]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}
