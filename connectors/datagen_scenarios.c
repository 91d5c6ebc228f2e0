/* datagen_scenarios.c: the streams of the five pipelines in queries/, as tables. A new scenario is a table and a line in the list.
 * Rules:  changing a table changes what every seed gives: tests hold the first rows of each. */
#include "connectors/datagen.h"

#define NUMBER(lo, hi) .kind = WR_GEN_NUMBER, .min = (lo), .max = (hi)
#define EVENT_TIME {.name = "timestamp", .type = WR_T_TIMESTAMP, .kind = WR_GEN_TIME}

/* Orders of a sale: retried by their producers, a little out of order. */
static const struct wr_genfield black_friday[] = {
    {.name = "id_pedido", .type = WR_T_TEXT, .kind = WR_GEN_UUID},
    {.name = "categoria", .type = WR_T_TEXT, .kind = WR_GEN_CHOICE, .text = "Eletronicos|Livros|Casa|Gamer"},
    {.name = "valor", .type = WR_T_DECIMAL, .prec = 12, .scale = 2, NUMBER(1000, 500000)},
    EVENT_TIME,
};

/* Sensors: each has its place, and a battery that runs down. */
static const struct wr_genfield iot[] = {
    {.name = "sensor_id", .type = WR_T_TEXT, .kind = WR_GEN_LABEL, .min = 1, .max = 20, .text = "sensor_"},
    {.name = "location", .type = WR_T_TEXT, .kind = WR_GEN_CHOICE, .text = "warehouse|office|greenhouse|server_room", .of = "sensor_id"},
    {.name = "temperature", .type = WR_T_DOUBLE, .scale = 2, NUMBER(1200, 3800), .shape = WR_SHAPE_BELL},
    {.name = "humidity", .type = WR_T_DOUBLE, .scale = 2, NUMBER(2000, 9000), .shape = WR_SHAPE_BELL},
    {.name = "pressure", .type = WR_T_DOUBLE, .scale = 2, NUMBER(98000, 104000), .shape = WR_SHAPE_BELL},
    {.name = "battery", .type = WR_T_DOUBLE, .scale = 1, .kind = WR_GEN_DRAIN, .min = 20, .max = 1000, .of = "sensor_id"},
    EVENT_TIME,
};

static const struct wr_genfield user_activity[] = {
    {.name = "user_id", .type = WR_T_TEXT, .kind = WR_GEN_LABEL, .min = 1, .max = 500, .text = "user_"},
    {.name = "action", .type = WR_T_TEXT, .kind = WR_GEN_CHOICE, .text = "browse|browse|browse|browse|login|login|purchase"},
    {.name = "browser", .type = WR_T_TEXT, .kind = WR_GEN_CHOICE, .text = "Chrome|Chrome|Chrome|Firefox|Safari|Edge"},
    {.name = "session_duration", .type = WR_T_INT, NUMBER(5, 900), .shape = WR_SHAPE_LOW},
    EVENT_TIME,
};

static const struct wr_genfield transactions[] = {
    {.name = "id_transacao", .type = WR_T_TEXT, .kind = WR_GEN_UUID},
    {.name = "id_vendedor", .type = WR_T_TEXT, .kind = WR_GEN_LABEL, .min = 1, .max = 50, .text = "vendedor_"},
    {.name = "valor", .type = WR_T_DECIMAL, .prec = 12, .scale = 2, NUMBER(100, 200000), .shape = WR_SHAPE_LOW},
    EVENT_TIME,
};

static const struct wr_genfield card_bursts[] = {
    {.name = "transaction_id", .type = WR_T_TEXT, .kind = WR_GEN_UUID},
    {.name = "card_id", .type = WR_T_TEXT, .kind = WR_GEN_LABEL, .min = 1, .max = 40, .text = "card_"},
    {.name = "merchant_category", .type = WR_T_TEXT, .kind = WR_GEN_CHOICE, .text = "grocery|grocery|fuel|restaurant|travel|electronics"},
    {.name = "amount", .type = WR_T_DECIMAL, .prec = 12, .scale = 2, NUMBER(150, 90000), .shape = WR_SHAPE_LOW},
    EVENT_TIME,
};

static const struct wr_genfield random_events[] = {
    {.name = "id", .type = WR_T_BIGINT, NUMBER(1, 20)},
    {.name = "value", .type = WR_T_DOUBLE, .scale = 2, NUMBER(0, 10000)},
    EVENT_TIME,
};

#define FIELDS(table) .n = (int)(sizeof(table) / sizeof(table)[0]), .field = (table)
static const struct wr_scenario scenarios[] = {
    {"black-friday", "orders of a sale", FIELDS(black_friday), .rate = 2, .disorder_us = 20 * WR_US_SEC, .retry_ppm = 20000},
    {"iot", "sensor readings", FIELDS(iot), .rate = 2, .disorder_us = 2 * WR_US_MIN},
    {"user-activity", "what users of a site do", FIELDS(user_activity), .rate = 2, .disorder_us = 20 * WR_US_SEC},
    {"transactions", "sales by vendor", FIELDS(transactions), .rate = 2},
    {"card-bursts", "card payments in bursts", FIELDS(card_bursts), .rate = 2, .bursts = true},
    {"random-events", "numbers", FIELDS(random_events), .rate = 2},
};

const struct wr_scenario *wr_scenario_find(struct wr_str name)
{
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (wr_str_ieq_c(name, scenarios[i].name))
            return &scenarios[i];
    return NULL;
}

const char *wr_scenario_names(void)
{
    return "black-friday|iot|user-activity|transactions|card-bursts|random-events";
}
