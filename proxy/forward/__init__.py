"""The path of one request: fields, target, upstream leg, relay. Knows no OAuth."""
