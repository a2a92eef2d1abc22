-- The nouns of the shop, each a table; a row is one of them. What belongs to a customer goes with it.

-- "fwsh": whose file this is, so that no other program's database is ever taken for it.
PRAGMA application_id = 0x66777368;

CREATE TABLE customer (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, so that an old session names nobody else
    name     TEXT NOT NULL,
    email    TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL                       -- its hash: algorithm$iterations$salt$hash
) STRICT;

-- A customer has one shipping address at most: its key is the customer's.
CREATE TABLE shipping_address (
    customer INTEGER PRIMARY KEY REFERENCES customer (id) ON DELETE CASCADE,
    street   TEXT NOT NULL,
    postcode TEXT NOT NULL,
    city     TEXT NOT NULL,
    country  TEXT NOT NULL
) STRICT;

CREATE TABLE product (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    name  TEXT NOT NULL UNIQUE,
    about TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents >= 0)
) STRICT;

-- A customer has many reviews, but of one product only one.
CREATE TABLE review (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    customer INTEGER NOT NULL REFERENCES customer (id) ON DELETE CASCADE,
    product  INTEGER NOT NULL REFERENCES product (id) ON DELETE CASCADE,
    rating   INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
    text     TEXT NOT NULL,
    written  INTEGER NOT NULL,                   -- seconds since 1970
    UNIQUE (customer, product)
) STRICT;

CREATE INDEX review_of_product ON review (product, id);

-- What the program must remember and no visitor sees: the key that signs sessions.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;
