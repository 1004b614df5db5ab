-- Drops every tenant's credentials with it; the tenants' databases stay, and nothing knows of them any more.
DROP TABLE tenants;
