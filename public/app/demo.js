// @ts-check
/** The script of the index and the page of one pet in the demo: as for staff, on a network that can be simulated. */
import { startPets } from "./page/pets.js";
import { startSaving } from "./page/saving.js";
import { ChaosSelect } from "./view/chaos-select.js";

const chaos = new ChaosSelect(document, window);
chaos.start();
startPets({ chaos: chaos.mode, save: startSaving });
