/** Hashes that other programs made of one password, at low cost: Django 5.2, passlib 1.7, Werkzeug, argon2-cffi. */
export const FOREIGN_PASSWORD = 'Zoë schläft gut'

export const FOREIGN_HASHES: Record<string, string> = {
  'Django pbkdf2_sha256':
    'pbkdf2_sha256$1000$tmdoNqeFwVjvWSGnHF6NE7$UtUvQYWuxchNX6K2xkIbs18NiyQ0myvlZTjXnaaC+jE=',
  'Django pbkdf2_sha1': 'pbkdf2_sha1$1000$RlAR0neQZA9T7BdVzsmEyG$9yzIDlDIPQLoXlJgcZwDdVTgf1I=',
  'Django argon2':
    'argon2$argon2id$v=19$m=64,t=2,p=2$YW5jbU8wREJtM1haQkVZdUtMbmI4MA$xVCRXFvcBvavtQy5NDtS+WwLZvRahvw3tJ+fv0BR9hA',
  'Django scrypt':
    'scrypt$1024$gYzscfuwB3EHUscqf6emdh$8$5$7dWwNw9szXOFL1Sad17LczMMvIOfsUBJ2VZyjWWP6fQn7jjZQLaWibLPTl89e9y3AuWM7toN8Wsi+joyQB/gzg==',
  'Django bcrypt_sha256': 'bcrypt_sha256$$2b$04$.4JJgtqN7Xi2H0uzDB4Zf.PiJnCk9MVRMlkRTvnww1XA0QmSVvrRa',
  'Django bcrypt': 'bcrypt$$2b$04$3wpJ4Rpnka26pPHFm4/BLO3cJSsglO0B0R2z0KBOKAcBzmgNUT9Wq',
  'passlib pbkdf2_sha1': '$pbkdf2$1000$T0kp5VxrDQGglLK2tjaGMA$TpEeHjtdP09LuEzdmxg8gc8Cpd8',
  'passlib pbkdf2_sha256':
    '$pbkdf2-sha256$1000$pPReC0GolXIOYSwFwDjnXA$u7RUPP4kJCanTbHwXrVZQItOMSvBGcoN2EPxzj.MjY8',
  'passlib pbkdf2_sha512':
    '$pbkdf2-sha512$1000$4dzbW4tR6t27F.IcI.R87w$4ZGKtnfhCfzypkOsjnD8C3UHiypwt93N5cOwKZm0UFdBDb9C4aA687YYoA3cwdHh1JTGlABldNv79G65MwAwPw',
  'passlib scrypt':
    '$scrypt$ln=10,r=8,p=1$L8V4731vbW1t7Z0TQsj5fw$AK8swpccCE9+TPqbKdX1dbIizis/1rbvE68tVZ5YD9M',
  'passlib bcrypt 2b': '$2b$04$YP0G9BTRzPhAMQnxbcbJl.Rg6wdQjudSWPMyPAeBh7L8qKJTR82Gq',
  'passlib bcrypt 2y': '$2y$04$eetds12jof8XW7uopfw1Ye.N.R6vBMGwjI/6ciX0aELCir6x3jOUW',
  'passlib bcrypt 2a': '$2a$04$t1rGIwGzgM4pTmcMqLNFeu/LcpkqHP.hKAoq0sN2N.p.FCGPMfEA.',
  'passlib bcrypt_sha256 v2':
    '$bcrypt-sha256$v=2,t=2b,r=4$gj78GSSGGIkaA30G5RIZFO$iN0fJqLoddGNun/qXwlbjcjD2qRXo0K',
  'passlib bcrypt_sha256 v1': '$bcrypt-sha256$2b,4$T.MeRXZebRym30sFAk7ZpO$ohKf2i33IoNXFOO/xeTG33ZNfgJFsmC',
  'Werkzeug scrypt':
    'scrypt:1024:8:1$r3jiru6Vnil0HmYX$06ed1927a11ac6c66fe45ebe868a019546fc892e3f3715de391636500523251d249c254f60c60453ad12131ff4b2af4d877b774096048260b70c9445557d0125',
  'Werkzeug pbkdf2:sha256':
    'pbkdf2:sha256:1000$K4WlSoTUHPT5J4Ct$fdfcd2feaba91466a2b0a69f59c215a311d5456150d67d15209125617f87d1f9',
  'Werkzeug pbkdf2:sha1': 'pbkdf2:sha1:1000$oNrqq7avqQULvxLW$bacc9c6b9a4b933c25fc92a0f4a1f7a91d996d50',
  'Werkzeug pbkdf2:sha512':
    'pbkdf2:sha512:1000$MH3hm98eqH5HTNOl$389f9e657b1dbd595f34e99697b48d1e72fc95413796e8d464a7a13f8a73ba726f8fdf0eb9f438134af69fe420c745d161b6acb299daf2b501d4d26761e0c9df',
  'argon2-cffi D':
    '$argon2d$v=19$m=64,t=2,p=2$vIKFMZ0dhthMJxtT/U07zw$pXJN/dM+mZ8WxX+IdWtx+AW0aaORqSIEW1Uwu5Ykmyk',
  'argon2-cffi I':
    '$argon2i$v=19$m=64,t=2,p=2$0dbb0iUvoOCOeaVZqZTp5g$6WD8DpxYbor9KK8z4aPT1hv8xgBggynJKbOdsGQ2l8M',
  'argon2-cffi ID':
    '$argon2id$v=19$m=64,t=2,p=2$xcLl9983M3m1nyB86qkLvA$MoehdbDrMil85Vh9T+HiC9t+zNim1DBRPe7STnl8Q/8',
  'argon2 v16 D':
    '$argon2d$v=16$m=64,t=2,p=2$bxvKaIYb2xs/bW4DPcuuyA$m2q4c9T0TUccUNTtHir0eWyGf3Jbly6cFN0Iyx34z1A',
  'argon2 v16 I':
    '$argon2i$v=16$m=64,t=2,p=2$bXLiN/vSLbz3++LZFD4YlA$+Gl3XjG61U84b6y4uBkOPMGY+K+Nhp8bK98SC4yLZdo',
  'argon2 v16 ID':
    '$argon2id$v=16$m=64,t=2,p=2$NKeT5f6bGFAOBngnShNs7A$T2oXzRmaqE6TbVdzHusiEmMjWCuFtLdmDLNlbCY1QOw',
}
