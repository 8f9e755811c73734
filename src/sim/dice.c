#include "sim/dice.h"

#include "base/mem.h"
#include "base/uuid.h"

const struct law_end dice_python_ends[PYTHON_ENDS] = {
    {STATE_SUCCESS, false}, {STATE_FAILED, false},         {STATE_TIMED_OUT, false},
    {STATE_NEW, false},     {STATE_INTERNAL_ERROR, false},
};

const struct law_end dice_if_else_ends[IF_ELSE_ENDS] = {
    {STATE_SUCCESS, true},
    {STATE_SUCCESS, false},
    {STATE_FAILED, false},
    {STATE_INTERNAL_ERROR, false},
};

uint32_t dice_below(struct dice *dice, uint32_t below)
{
    return (uint32_t)(mix64(dice->state++) % below);
}

void dice_dag(struct dice *dice, int count, struct law_dag *ret)
{
    int place[LAW_TASKS] = {0}; /* of a number in the order of the graph */
    *ret = (struct law_dag){.count = count};
    for (int i = 0; i < count; i++) {
        int other = (int)dice_below(dice, (uint32_t)i + 1);
        place[i] = place[other];
        place[other] = i;
    }
    uint32_t density = 1 + dice_below(dice, 3);
    for (int i = 0; i < count; i++) {
        ret->tasks[i].run_if = (enum run_if)dice_below(dice, RUN_IF_COUNT);
        ret->tasks[i].is_if_else = dice_below(dice, 4) == 0;
    }
    for (int i = 0; i < LAW_TASKS; i++)
        for (int d = 0; d < LAW_TASKS; d++)
            ret->tasks[i].needs[d] = (struct law_edge){false, -1};
    for (int i = 0; i < count; i++)
        for (int d = 0; d < i; d++) {
            if (dice_below(dice, 4) >= density)
                continue;
            struct law_edge *edge = &ret->tasks[place[i]].needs[place[d]];
            edge->is_there = true;
            if (ret->tasks[place[d]].is_if_else)
                edge->wanted = (int8_t)((int)dice_below(dice, 3) - 1);
        }
}

void dice_ends(struct dice *dice, const struct law_dag *dag, bool with_running, struct law_end *ret)
{
    for (int i = 0; i < dag->count; i++)
        do
            ret[i] = dag->tasks[i].is_if_else ? dice_if_else_ends[dice_below(dice, IF_ELSE_ENDS)]
                                              : dice_python_ends[dice_below(dice, PYTHON_ENDS)];
        while (ret[i].state == STATE_NEW && !with_running);
}
