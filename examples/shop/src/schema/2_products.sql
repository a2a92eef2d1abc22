-- What is sold here.
INSERT INTO product (name, about, cents) VALUES
    ('Tea', 'A packet of tea. It travels well.', 490),
    ('Frame', 'A frame, 14 bytes of wood around any picture.', 1400),
    ('Envelope', 'An envelope. Put another one into it.', 80),
    ('Stamp', 'A stamp, valid for 64 hops.', 64);
