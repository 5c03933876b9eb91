// @ts-check
/** Dates of a pet as people read them, in the words of the server. */

const DATE = /^(about )?(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;

/** Returns "3 May 2024" or "about May 2024". @param {string} value  Such as "2024-05-03"; other texts stay as they are. */
export function dateText(value) {
  const [, about = "", year, month, day] = DATE.exec(value) ?? [];
  if (year === undefined) return value;
  const monthText = month && new Date(`${year}-${month}`).toLocaleString("en-US", { month: "long", timeZone: "UTC" });
  const parts = [day && Number(day), monthText, year];
  return about + parts.filter(Boolean).join(" ");
}
