-- Sessions of the web server.
SELECT;
