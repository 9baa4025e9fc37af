-- For psql, once, as the role that owns the database and migrates: another role for the service, which can read and
-- write rows and nothing else. Its password is taken from the environment.
\getenv password KEYTURN_PASSWORD
create role keyturn login password :'password';
alter default privileges in schema public grant select, insert, update, delete on tables to keyturn;
