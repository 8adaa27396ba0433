"""Public functions with a viewer that have no row in the table of permissions, and why."""

# What only other services call, after a function above has let somebody in; what is one's own; and what opens another
# transaction and has tests of its own.
INTERNAL = {
    "connections.trial.send_test_event", "executors.trial.check_credentials", "helpdesk.trial.sign_request",
    "connections.locking.lock_connection",
    "refunds.request_lock.lock_request", "refunds.request_lock.check_four_eyes",
    "refunds.request_lock.is_own_under_four_eyes", "refunds.approval.why_not_second",
    "refunds.request_lock.check_taken", "refunds.request_lock.taken_sentence",
    "access.require_administrator", "actions.perform", "actions.perform_within",
    "bulk.results_file.export_results", "bulk.runs.stop_run", "bulk.runs.get_run", "bulk.runs.find_outcomes",
    "audit.recording.record_refusal",
    "audit.log.seal_audit_filter", "audit.log.open_audit_filter",
    "order_actions.locking.lock_orders", "exports.columns.statement_of",
    "orders.search.stores_in_scope",
    "orders.saved_searches.open_search",
    "authentication.second_factor.begin", "authentication.second_factor.confirm",
    "authentication.second_factor.remove", "authentication.second_factor.has_own",
    "authentication.second_factor.is_required", "authentication.second_factor.needs_password",
    "authentication.sessions.prove_password",
    "accounts.profile.change_own_password", "accounts.profile.end_own_session", "accounts.profile.set_own_time_zone",
}  # fmt: skip
