// Brings a ticket to the web server, whose answer sets or deletes a cookie that no script can read.
// A ticket works once: where an answer was lost on its way, the second try is told that the first has worked.
export default async function ({ data, setTriggerValue }) {
  for (const pause of [0, 500, 2000, 5000]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      const answer = await fetch("/session", { method: "POST", body: data.ticket, cache: "no-store" });
      if (answer.ok || answer.status === 410) break;
    } catch {
      // The network is away for a moment.
    }
  }
  if (data.tell) setTriggerValue("arrived", data.ticket);
}
