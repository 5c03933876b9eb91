// @ts-check
/**
 * What a page hears of the shared stream, which carries every pet.
 *
 * A change of a pet that the page does not show becomes a heartbeat: it proves the connection and moves the cursor on,
 * as it would on a connection of its own with `pet=`.
 */

/** @typedef {import("../transports/message.js").Message} Message */

/**
 * @param {string[]} pets  Ids that the page shows; none means every pet.
 * @returns {(message: Message) => Message}
 */
export function audienceOf(pets) {
  if (pets.length === 0) return (message) => message;
  const isShown = (/** @type {unknown} */ id) => pets.includes(String(id));
  return (message) => {
    switch (message.type) {
      case "snapshot":
        if (!Array.isArray(message.pets)) return message;
        return { ...message, pets: message.pets.filter((/** @type {any} */ pet) => isShown(pet.id)) };
      case "status":
      case "pet":
      case "gone":
        return isShown(message.pet) ? message : { type: "heartbeat", cursor: message.cursor };
      default:
        return message;
    }
  };
}
