// @ts-check
/** The script of every page without live data: local times, drafts of its form, and a guess of the time zone in the settings. */
import { startClocks } from "./page/clocks.js";
import { Commands } from "./server/commands.js";
import { Drafts } from "./state/drafts.js";
import { discardAtSignOut, DraftForm } from "./view/draft-form.js";
import { siteAddress } from "./page/site.js";

/** @type {HTMLSelectElement | null} */
const zones = document.querySelector("select[data-guess-time-zone]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zones?.value === "" && [...zones.options].some(({ value }) => value === zone)) zones.value = zone;

const { clock } = startClocks();
const commands = new Commands({ fetch: (...args) => fetch(...args), site: siteAddress(), clock });
const drafts = new Drafts({ storage: () => localStorage, clock });
const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
const isReturnedTo = navigation?.type === "back_forward";
const send = (/** @type {string} */ url, /** @type {URLSearchParams} */ body) => commands.sendForm(url, body);
new DraftForm({ document, location, drafts, clock, send, isReturnedTo }).start();
discardAtSignOut(document, drafts);
