-- Views: a search under a name, its author's own or a team's, with the choices of its export. Searched is always in the
-- scope of the person who opens it; a view grants nothing.
CREATE TABLE order_view (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    -- A deleted team leaves its views to their authors.
    team_id integer REFERENCES team ON DELETE SET NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    filters jsonb NOT NULL,
    export jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_view_account ON order_view (account_id);
CREATE INDEX order_view_team ON order_view (team_id) WHERE team_id IS NOT NULL;

-- The order in which an account has its views: everybody has an order of their own, of a team's views as well.
CREATE TABLE order_view_place (
    account_id integer NOT NULL REFERENCES account ON DELETE CASCADE,
    view_id integer NOT NULL REFERENCES order_view ON DELETE CASCADE,
    place smallint NOT NULL CHECK (place >= 0),
    PRIMARY KEY (account_id, view_id)
);
CREATE INDEX order_view_place_view ON order_view_place (view_id);

-- The last ten orders that an account has opened, newest first; no foreign keys, since what is shown of them is read in
-- scope each time.
CREATE TABLE opened_orders (
    account_id integer PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    order_ids bigint[] NOT NULL CHECK (cardinality(order_ids) <= 10)
);

DO $$
DECLARE
    name text;
    is_in_team constant text := 'EXISTS (SELECT FROM team_member m WHERE m.team_id = order_view.team_id '
        'AND m.account_id = (SELECT viewer_id()))';
    is_mine constant text := '(account_id = (SELECT viewer_id()) AND (SELECT viewer_role()) IS NOT NULL)';
    is_administered constant text := '(team_id IS NOT NULL AND (SELECT viewer_role()) = ''administrator'')';
BEGIN
    FOREACH name IN ARRAY ARRAY['order_view', 'order_view_place', 'opened_orders']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY jobs ON %I TO esupport_jobs USING (true) WITH CHECK (true)', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO esupport_jobs', name);
    END LOOP;
    EXECUTE format('CREATE POLICY own ON order_view_place TO esupport_app USING (%s)', is_mine);
    EXECUTE format('CREATE POLICY own ON opened_orders TO esupport_app USING (%s)', is_mine);
    EXECUTE format('CREATE POLICY seen ON order_view FOR SELECT TO esupport_app USING (%s OR %s OR (%s))',
        is_mine, is_administered, '(SELECT viewer_role()) IS NOT NULL AND ' || is_in_team);
    -- Shared with a team of one's own only; administrators share with any.
    EXECUTE format('CREATE POLICY added ON order_view FOR INSERT TO esupport_app WITH CHECK (%s AND '
        '(team_id IS NULL OR (SELECT viewer_role()) = ''administrator'' OR %s))', is_mine, is_in_team);
    -- Whom it may be shared with is decided by check_view_team, which knows what it was before.
    EXECUTE format('CREATE POLICY changed ON order_view FOR UPDATE TO esupport_app USING (%s OR %s) WITH CHECK (%s OR '
        '(SELECT viewer_role()) = ''administrator'')', is_mine, is_administered, is_mine);
    EXECUTE format('CREATE POLICY removed ON order_view FOR DELETE TO esupport_app USING (%s OR %s)',
        is_mine, is_administered);
END $$;
GRANT SELECT, DELETE, INSERT (account_id, team_id, name, filters, export), UPDATE (team_id, name, filters, export)
    ON order_view TO esupport_app;
GRANT SELECT, INSERT, DELETE ON order_view_place TO esupport_app;
GRANT SELECT, INSERT, UPDATE (order_ids) ON opened_orders TO esupport_app;

-- An author who has left a team goes on to change the view there, and cannot bring a view into a team that is not theirs.
CREATE FUNCTION check_view_team() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    IF current_user = 'esupport_app' AND viewer_role() IS DISTINCT FROM 'administrator'
        AND NOT EXISTS (SELECT FROM team_member m WHERE m.team_id = NEW.team_id AND m.account_id = viewer_id())
    THEN
        RAISE EXCEPTION 'A view is shared with a team of its author.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_view_team BEFORE UPDATE OF team_id ON order_view
    FOR EACH ROW WHEN (NEW.team_id IS DISTINCT FROM OLD.team_id AND NEW.team_id IS NOT NULL)
    EXECUTE FUNCTION check_view_team();

-- Erasing a person removes views that hold something of theirs, as it removes saved searches.
CREATE FUNCTION view_texts() RETURNS TABLE (id integer, field text, value text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    PERFORM check_may_erase();
    RETURN QUERY SELECT v.id, t.path[cardinality(t.path)], t.value FROM order_view v, json_strings(v.filters) t
        WHERE t.path[cardinality(t.path)] NOT IN ('zone', 'order_ids', 'activation_code', 'subscription')
        UNION ALL SELECT v.id, 'name', v.name FROM order_view v;
END $$;

CREATE FUNCTION erase_views(ids integer[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
DECLARE
    removed integer;
BEGIN
    PERFORM check_may_erase();
    DELETE FROM order_view v WHERE v.id = ANY (ids);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

REVOKE ALL ON FUNCTION check_view_team(), view_texts(), erase_views(integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION view_texts(), erase_views(integer[]) TO esupport_app, esupport_jobs;
