/* The task that does nothing: static, so that what is left is the cost of a process. The product and
 * the composite limit run the same one. */
int main(void)
{
    return 0;
}
