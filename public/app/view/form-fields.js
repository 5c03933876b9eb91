// @ts-check
/** Reads and fills the fields of a form, as far as drafts are concerned. */

/** @import { Fields } from "../state/drafts.js" */

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

/** The token is valid for one page, so drafts never include it. */
const FORM_TOKEN = "form-token";

/** @param {HTMLFormElement} form */
const controls = (form) =>
  /** @type {Control[]} */ ([...form.elements].filter((element) => "name" in element && element.name !== ""));

/** @param {Control} control */
const isHidden = (control) => control.type === "hidden" && control.name !== FORM_TOKEN;

/** Returns true for fields that belong into a draft: no password is stored. @param {Control} control */
const isVisible = (control) => !["hidden", "password", "submit", "button", "fieldset"].includes(control.type);

/**
 * @param {Control} control
 * @returns {control is HTMLInputElement}
 */
const isChoice = (control) => control.type === "radio" || control.type === "checkbox";

/** @param {boolean} isChecked */
const checkedText = (isChecked) => (isChecked ? "on" : "");

/** Several checkboxes have one name, and one that is not checked is a value too. @param {Control} control */
const keyOf = (control) => (control.type === "checkbox" ? `${control.name}=${control.value}` : control.name);

/** Returns true for radio buttons, of which one has the value. @param {Control} control */
const isUnchosen = (control, isChecked = /** @type {HTMLInputElement} */ (control).checked) =>
  control.type === "radio" && !isChecked;

/**
 * @param {HTMLFormElement} form
 * @returns {Fields} The visible fields.
 */
export function visibleFields(form) {
  const visible = controls(form).filter((control) => isVisible(control) && !isUnchosen(control));
  const value = (/** @type {Control} */ control) =>
    control.type === "checkbox" ? checkedText(/** @type {HTMLInputElement} */ (control).checked) : control.value;
  return Object.fromEntries(visible.map((control) => [keyOf(control), value(control)]));
}

/**
 * @param {HTMLFormElement} form
 * @returns {Fields} The visible fields as the server rendered them, even if the browser has restored other values.
 */
export function renderedFields(form) {
  const rendered = controls(form).filter(
    (control) => isVisible(control) && !(isChoice(control) && isUnchosen(control, control.defaultChecked)),
  );
  const value = (/** @type {Control} */ control) => {
    if (control.type === "checkbox") return checkedText(/** @type {HTMLInputElement} */ (control).defaultChecked);
    return isChoice(control) || !("defaultValue" in control) ? control.value : control.defaultValue;
  };
  return Object.fromEntries(rendered.map((control) => [keyOf(control), value(control)]));
}

/**
 * @param {HTMLFormElement} form
 * @returns {Fields}
 */
export function hiddenFields(form) {
  return Object.fromEntries(controls(form).filter(isHidden).map((control) => [control.name, control.value]));
}

/** @param {HTMLFormElement} form @param {Fields} fields */
export function fillVisible(form, fields) {
  for (const control of controls(form).filter(isVisible)) {
    const value = fields[keyOf(control)];
    if (value === undefined) continue;
    if (isChoice(control)) control.checked = control.type === "checkbox" ? value !== "" : control.value === value;
    else control.value = value;
  }
}

/** @param {HTMLFormElement} form @param {Fields} fields */
export function fillHidden(form, fields) {
  for (const control of controls(form).filter(isHidden)) {
    if (fields[control.name] !== undefined) control.value = fields[control.name];
  }
}

/**
 * Returns the body that the browser would send.
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
export function bodyOf(form, submitter) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) body.append(name, String(value));
  return body;
}

/** @param {Fields} one @param {Fields} other */
export function isEqual(one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name] === other[name]);
}
