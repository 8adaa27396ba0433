CREATE OR REPLACE FUNCTION public.login_key(login text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN email_key(login);
