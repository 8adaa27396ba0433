// Brings a ticket to the web server, whose answer sets or deletes a cookie that no script can read.
const brought = (window.esupportTickets ??= new Set());

export default async function ({ data, setTriggerValue }) {
  // Run again whenever the page is drawn; a ticket works once.
  if (brought.has(data.ticket)) return;
  brought.add(data.ticket);
  for (const pause of [0, 500, 2000, 5000]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      const answer = await fetch("/session", { method: "POST", body: data.ticket, cache: "no-store" });
      // Gone: an answer was lost on its way.
      if (answer.ok || answer.status === 410) break;
    } catch {
      // The network is away for a moment.
    }
  }
  if (data.tell) setTriggerValue("arrived", data.ticket);
}
