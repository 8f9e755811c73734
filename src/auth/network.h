/*
 * Which network an address stands for where somebody is counted or held off. Whoever has an IPv6 address has
 * the 2^64 others of its /64 as well, so these are one; an IPv4 address is one by itself, also in its
 * IPv6 form.
 */
#pragma once

enum { NETWORK_TEXT = 64 };

/* Of an address as text, a scope behind % included; what is none is taken as it is, cut off. */
const char *network_of(const char *address, char text[static NETWORK_TEXT]);
