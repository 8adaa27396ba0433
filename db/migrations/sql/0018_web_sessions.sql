-- Sessions of the web server.

-- Version 0.1.0 kept the tokens of these in cookies that every script of a page could read. Whoever copied one would
-- still be let in by it, under the new cookie's name: everybody signs in once more.
UPDATE account_session SET ended_at = now(), ended_because = 'ended' WHERE ended_at IS NULL;
